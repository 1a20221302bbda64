#pragma once

#include <boost/program_options.hpp>
#include <string>

namespace sae {

// Configuration files: lines NAME=VALUE. A comment begins with # at the start of a line or after a
// blank. A value in double quotes is taken as it stands, with \" for " and \\ for \.

/// Throws: UsageError naming the file and the line.
boost::program_options::parsed_options parse_config_file(
    const std::string& text, const std::string& file,
    const boost::program_options::options_description& options);

/// A value as such a file has it, in quotes where it needs them.
std::string config_value(const std::string& value);

}  // namespace sae
