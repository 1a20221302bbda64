#pragma once

#include <string>
#include <vector>

namespace sae {

/// An option as its command declares it.
struct ListedOption {
  /// What else than a word a value can be.
  enum class Path { kNone, kFile, kFolder };

  std::string name;     ///< Without its hyphens.
  std::string value;    ///< Such as "FILE" or "auto|N"; empty: takes none.
  std::string initial;  ///< Empty: none.
  std::string help;
  std::string group;                    ///< Of a setting; else empty.
  std::vector<std::string> words = {};  ///< That the value can be.
  Path path = Path::kNone;
};

struct ListedCommand {
  std::string name;
  std::string summary;
  std::vector<ListedOption> options;
};

/// All commands with all options that they take.
std::vector<ListedCommand> listed_commands();

}  // namespace sae
