#include "shell_files.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "option_list.hpp"
#include "sae/config/values.hpp"

namespace sae {
namespace {

using Path = ListedOption::Path;

std::string names_of(const std::vector<ListedCommand>& commands) {
  std::string names;
  for (const ListedCommand& command : commands) names += (names.empty() ? "" : " ") + command.name;
  return names;
}

// -- bash -----------------------------------------------------------------------------------------

constexpr const char* kBashHead =
    R"(# Completion of sae_dist for bash, written by 'sae_dist generate bash'.
_sae_dist() {
  local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD - 1]}
  local command=train commands='' options='' kind=argument words=''
  # Bash splits --option=value at the sign.
  if [[ $word == = ]]; then
    word=''
  elif [[ $before == = ]]; then
    before=${COMP_WORDS[COMP_CWORD - 2]}
  fi
  if [[ $COMP_CWORD -gt 1 && ${COMP_WORDS[1]} != -* ]]; then
    command=${COMP_WORDS[1]}
  fi
)";

constexpr const char* kBashTail = R"(  if [[ $kind == argument && $word == -* ]]; then
    words=$options
  elif [[ $COMP_CWORD -eq 1 ]]; then
    words=$commands
  elif [[ $kind == argument ]]; then
    kind='file'
  fi
  COMPREPLY=()
  [[ -z $words ]] || mapfile -t COMPREPLY < <(compgen -W "$words" -- "$word")
  if [[ $kind == file || $kind == folder ]]; then
    local found paths=-f
    [[ $kind == file ]] || paths=-d
    mapfile -t found < <(compgen "$paths" -- "$word")
    COMPREPLY+=("${found[@]}")
    compopt -o filenames 2>/dev/null
  fi
}
complete -F _sae_dist sae_dist
)";

/// What bash is to offer for the value.
std::string bash_action(const ListedOption& option) {
  const char* kind = option.path == Path::kFile     ? "file"
                     : option.path == Path::kFolder ? "folder"
                                                    : "value";
  std::string action = fmt::format("kind='{}'", kind);
  if (!option.words.empty()) action += fmt::format(" words='{}'", fmt::join(option.words, " "));
  return action;
}

std::string bash_case(const ListedCommand& command) {
  std::string options;
  std::map<std::string, std::string> by_action;
  for (const ListedOption& option : command.options) {
    options += (options.empty() ? "--" : " --") + option.name;
    if (option.value.empty()) continue;
    std::string& names = by_action[bash_action(option)];
    names += (names.empty() ? "--" : " | --") + option.name;
  }
  std::string text =
      fmt::format("    {})\n      options='{}'\n      case $before in\n", command.name, options);
  for (const auto& [action, names] : by_action) {
    text += fmt::format("        {}) {} ;;\n", names, action);
  }
  return text + "      esac\n      ;;\n";
}

// -- zsh ------------------------------------------------------------------------------------------

constexpr const char* kZshHead = R"zsh(#compdef sae_dist
# Completion of sae_dist for zsh, written by 'sae_dist generate zsh'.
_sae_dist_word_or_path() {
  local paths=$1
  shift
  _alternative "words:word:($*)" "paths:path:$paths"
}

_sae_dist() {
  local command=train
  local -a commands
)zsh";

constexpr const char* kZshBody = R"(  if (( CURRENT == 2 )) && [[ $words[2] != -* ]]; then
    _describe command commands
    return
  fi
  if [[ $words[2] != -* ]]; then
    command=$words[2]
    shift words
    (( CURRENT-- ))
  fi
  case $command in
)";

constexpr const char* kZshTail = R"(  esac
}

_sae_dist "$@"
)";

/// Between single quotes, with these characters taken as they stand.
std::string escaped(const std::string& text, const std::string& characters) {
  std::string result;
  for (const char c : text) {
    if (c == '\'') {
      result += R"('\'')";
      continue;
    }
    if (characters.find(c) != std::string::npos) result += '\\';
    result += c;
  }
  return result;
}

std::string zsh_action(const ListedOption& option) {
  const std::string paths = option.path == Path::kFile     ? "_files"
                            : option.path == Path::kFolder ? "_files -/"
                                                           : "";
  if (option.words.empty()) return paths.empty() ? " " : paths;
  const auto words = fmt::format("{}", fmt::join(option.words, " "));
  if (paths.empty()) return fmt::format("({})", words);
  // Behind a blank, so that nothing is put between the function and its arguments.
  return fmt::format(R"( _sae_dist_word_or_path "{}" {})", paths, words);
}

std::string zsh_case(const ListedCommand& command) {
  std::string text = fmt::format("    {})\n      _arguments", command.name);
  for (const ListedOption& option : command.options) {
    const std::string help = escaped(option.help, R"(\[]:)");
    text +=
        fmt::format(" \\\n        '--{}{}[{}]", option.name, option.value.empty() ? "" : "=", help);
    if (!option.value.empty()) {
      text += fmt::format(":{}:{}", escaped(option.value, R"(\:)"), zsh_action(option));
    }
    text += "'";
  }
  return text + " \\\n        '*:file:_files'\n      ;;\n";
}

}  // namespace

std::string bash_completion() {
  const auto commands = listed_commands();
  std::string text = kBashHead;
  text += fmt::format("  commands='{}'\n  case $command in\n", names_of(commands));
  for (const ListedCommand& command : commands) text += bash_case(command);
  return text + "  esac\n" + kBashTail;
}

std::string zsh_completion() {
  const auto commands = listed_commands();
  std::string text = kZshHead;
  text += "  commands=(\n";
  for (const ListedCommand& command : commands) {
    text += fmt::format("    '{}:{}'\n", command.name, escaped(command.summary, R"(\:)"));
  }
  text += std::string("  )\n") + kZshBody;
  for (const ListedCommand& command : commands) text += zsh_case(command);
  return text + kZshTail;
}

std::string shell_file(const std::string& kind) {
  if (kind == "bash") return bash_completion();
  if (kind == "zsh") return zsh_completion();
  if (kind == "man") return manual_page();
  throw UsageError(fmt::format("generate is for bash, zsh or man, not '{}'.", kind));
}

}  // namespace sae
