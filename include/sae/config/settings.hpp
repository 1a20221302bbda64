#pragma once

#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "sae/config/configuration.hpp"

namespace sae {

/// What a resume does with a setting that the run began with otherwise.
enum class OnResume {
  kFixed,      ///< Refused by name with both values.
  kFree,       ///< Accepted: it does not change what is computed.
  kMoreEpochs  ///< Accepted if no stage that is over changes and no other gets fewer epochs.
};

/// One setting of a run: an option of the command, a line of config.cfg and of the start table, and
/// what is compared on resume.
struct Setting {
  std::string name;              ///< Of the option, without its hyphens.
  std::string_view group = {};   ///< Heading in --help.
  std::string placeholder = {};  ///< Of its value in --help, such as "N" or "layer|image".
  std::string help = {};
  bool is_flag = false;
  bool is_list = false;  ///< One value per hidden layer, or one for all.

  /// Sets it in a configuration that has all hidden layers. Throws: UsageError.
  std::function<void(Configuration&, const std::string& text)> read;
  /// As `read` takes it; empty if it is not set.
  std::function<std::string(const Configuration&)> write;
  /// Of a list: how many values the text has. Throws: UsageError.
  std::function<std::size_t(const std::string& text)> count = {};

  OnResume on_resume = OnResume::kFixed;
  /// What programs did that did not have it yet; empty if all had it or it follows another.
  std::string before = {};
  /// The setting whose value it has where it is not set.
  std::string follows = {};
};

/// All settings, in the order of --help.
const std::vector<Setting>& settings();

/// The setting of that name; null if there is none.
const Setting* find_setting(const std::string& name);

/// Throws: std::out_of_range if there is none of that name.
const Setting& setting(const std::string& name);

/// A value and where it was given: "In FILE: ", or nothing for the command line.
struct SettingText {
  std::string text;
  std::string where = {};
};
using SettingTexts = std::map<std::string, SettingText>;

/// The configuration in which these settings have these values, and all others their defaults.
/// Throws: UsageError.
Configuration configuration_of(const SettingTexts& texts);

/// The lines of a configuration file, NAME=VALUE. A comment begins with # at the start of a line or
/// after a blank. A value in double quotes is taken as it stands, with \" for " and \\ for \.
/// Throws: UsageError naming `file` and the line, also for names that are not among settings().
SettingTexts parse_settings(const std::string& text, const std::string& file);

/// All that is set, as such a file.
std::string to_text(const Configuration& configuration);

/// The configuration that a checkpoint holds as text. What it lacks has the value that the program
/// of its time meant. Throws: DataError naming what only a newer program knows.
Configuration recorded_configuration(const std::string& text);

/// Refuses to go on in `stage` with settings that would change what the run computes.
/// Throws: UsageError naming each with both values.
void check_resumable(const Configuration& before, const Configuration& now, Index stage);

}  // namespace sae
