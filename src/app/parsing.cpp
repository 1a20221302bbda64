#include "parsing.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "sae/config/values.hpp"
#include "sae/core/suggestion.hpp"

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

/// A hint at the option that was mistyped as `word`, if one is close.
std::string meant_option(const std::string& word, const po::options_description& options) {
  std::vector<std::string> names;
  for (const auto& option : options.options()) names.push_back(option->long_name());
  const std::size_t begin = std::min(word.find_first_not_of('-'), word.size());
  return did_you_mean(word.substr(begin, word.find('=') - begin), names, "--");
}

/// What to say where there are more arguments than a command takes.
std::string excess_of(const std::vector<std::string>& arguments) {
  const auto option = std::ranges::find_if(arguments, [](const std::string& argument) {
    return argument.size() > 1 && argument[0] == '-' && argument[1] != '-';
  });
  if (option == arguments.end()) {
    return "There are more arguments than this command takes; see --help.";
  }
  return fmt::format("unrecognised option '{}': options begin with '--'; see --help.", *option);
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
    throw UsageError(excess_of(arguments));
  } catch (const po::unknown_option& error) {
    throw UsageError(fmt::format("{}; see --help.{}", error.what(),
                                 meant_option(error.get_option_name(), options)));
  } catch (const po::error& error) {
    throw UsageError(fmt::format("{}; see --help.", error.what()));
  }
  return values;
}

}  // namespace sae
