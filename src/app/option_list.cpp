#include "option_list.hpp"

#include <sstream>

#include "options.hpp"
#include "parsing.hpp"
#include "sae/config/recipes.hpp"
#include "sae/config/settings.hpp"

namespace sae {
namespace {

std::vector<std::string> alternatives_of(const std::string& value) {
  std::vector<std::string> parts;
  std::istringstream stream(value);
  for (std::string part; std::getline(stream, part, '|');) parts.push_back(part);
  return parts;
}

std::string group_of(const std::string& option) {
  const Setting* const found = find_setting(option);
  return found == nullptr ? std::string() : std::string(found->group);
}

ListedOption as_listed(const boost::program_options::option_description& declared) {
  ListedOption option{.name = declared.long_name(),
                      .value = {},
                      .initial = {},
                      .help = declared.description(),
                      .group = group_of(declared.long_name())};
  if (declared.semantic()->max_tokens() == 0) return option;
  // Boost gives "VALUE (=DEFAULT)".
  option.value = declared.semantic()->name();
  if (const auto initial = option.value.find(" (="); initial != std::string::npos) {
    option.initial = option.value.substr(initial + 3, option.value.size() - initial - 4);
    option.value.resize(initial);
  }
  const auto parts = alternatives_of(option.value);
  for (const std::string& part : parts) {
    if (part == "FILE") option.path = ListedOption::Path::kFile;
    if (part == "FOLDER") option.path = ListedOption::Path::kFolder;
    const bool is_word = 'a' <= part.front() && part.front() <= 'z';
    if (is_word && parts.size() > 1) option.words.push_back(part);
  }
  if (option.name == "recipe") {
    for (const auto& [name, text] : built_in_recipes()) option.words.push_back(name);
  }
  return option;
}

}  // namespace

std::vector<ListedCommand> listed_commands() {
  std::vector<ListedCommand> commands;
  for (const CommandKind& kind : command_kinds()) {
    commands.push_back({kind.name, kind.summary, {}});
    try {
      kind.parse({kListOptions}, {});
    } catch (const DeclaredOptions& declared) {
      for (const auto& option : declared.options)
        commands.back().options.push_back(as_listed(*option));
    }
  }
  return commands;
}

}  // namespace sae
