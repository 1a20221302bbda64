#pragma once

#include <boost/program_options.hpp>
#include <string>
#include <vector>

namespace sae {

/// The internal option that stands for all: as the only argument it asks for what a command takes.
inline constexpr const char* kListOptions = "--list-options";

/// Thrown by parse_arguments instead of parsing where that is asked for.
struct DeclaredOptions {
  std::vector<boost::shared_ptr<boost::program_options::option_description>> options;
};

/// Parses long options, without abbreviations: a value may begin with '-', and new options do not
/// change the meaning of old scripts.
/// Throws: UsageError, DeclaredOptions.
boost::program_options::variables_map parse_arguments(
    const std::vector<std::string>& arguments,
    const boost::program_options::options_description& options,
    const boost::program_options::positional_options_description& positional = {});

}  // namespace sae
