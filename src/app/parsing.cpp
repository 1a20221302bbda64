#include "parsing.hpp"

#include <fmt/format.h>

#include <set>

#include "sae/config/values.hpp"

namespace po = boost::program_options;

namespace sae {
namespace {

/// Throws: UsageError if an option is given twice; Boost would join lists.
void refuse_repetitions(const po::parsed_options& parsed) {
  std::set<std::string> seen;
  for (const auto& option : parsed.options) {
    require(option.position_key >= 0 || seen.insert(option.string_key).second,
            fmt::format("--{} is given more than once.", option.string_key));
  }
}

}  // namespace

po::variables_map parse_arguments(const std::vector<std::string>& arguments,
                                  const po::options_description& options,
                                  const po::positional_options_description& positional) {
  using po::command_line_style::allow_long;
  using po::command_line_style::long_allow_adjacent;
  using po::command_line_style::long_allow_next;
  if (arguments.size() == 1 && arguments[0] == kListOptions)
    throw DeclaredOptions{options.options()};
  po::variables_map values;
  try {
    const auto parsed = po::command_line_parser(arguments)
                            .options(options)
                            .positional(positional)
                            .style(allow_long | long_allow_adjacent | long_allow_next)
                            .run();
    refuse_repetitions(parsed);
    po::store(parsed, values);
  } catch (const po::too_many_positional_options_error&) {
    throw UsageError("There is an argument that belongs to no option; see --help.");
  } catch (const po::error& error) {
    throw UsageError(fmt::format("{}; see --help.", error.what()));
  }
  return values;
}

}  // namespace sae
