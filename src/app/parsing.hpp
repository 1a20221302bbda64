#pragma once

#include <boost/program_options.hpp>
#include <string>
#include <vector>

namespace sae {

/// Parses arguments by long options only, never abbreviated, so that a value may begin with '-'
/// and an old script keeps its meaning when options are added.
/// Throws: UsageError.
boost::program_options::variables_map parse_arguments(
    const std::vector<std::string>& arguments,
    const boost::program_options::options_description& options,
    const boost::program_options::positional_options_description& positional = {});

}  // namespace sae
