#pragma once

#include <boost/program_options.hpp>
#include <string>
#include <vector>

namespace sae {

/// Parses long options, without abbreviations: a value may begin with '-', and new options do not
/// change the meaning of old scripts.
/// Throws: UsageError.
boost::program_options::variables_map parse_arguments(
    const std::vector<std::string>& arguments,
    const boost::program_options::options_description& options,
    const boost::program_options::positional_options_description& positional = {});

}  // namespace sae
