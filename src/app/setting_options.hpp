#pragma once

#include <boost/program_options.hpp>
#include <string>
#include <vector>

#include "sae/config/settings.hpp"

namespace sae {

/// Command-line options for settings, by group; if `names` is not empty, only these, ungrouped.
boost::program_options::options_description setting_options(
    const std::vector<std::string>& names = {});

/// The settings given on the command line.
SettingTexts given_settings(const boost::program_options::variables_map& values);

}  // namespace sae
