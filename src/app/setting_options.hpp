#pragma once

#include <boost/program_options.hpp>
#include <string>
#include <vector>

#include "sae/config/settings.hpp"

namespace sae {

/// Options of the command line for settings, by group. `names`: only these, without headings.
boost::program_options::options_description setting_options(
    const std::vector<std::string>& names = {});

/// What was given of them.
SettingTexts given_settings(const boost::program_options::variables_map& values);

}  // namespace sae
