#include <fmt/format.h>

#include "sae/config/settings.hpp"
#include "sae/config/values.hpp"

namespace sae {
namespace {

/// As the setting that it follows, where it is not set.
std::string effective(const Setting& setting, const Configuration& configuration) {
  std::string value = setting.write(configuration);
  if (!value.empty() || setting.follows.empty()) return value;
  return sae::setting(setting.follows).write(configuration);
}

bool only_adds_epochs(const Configuration& before, const Configuration& now, Index stage) {
  for (Index s = 0; s <= static_cast<Index>(before.layers.size()); ++s) {
    const Index more = epochs_of(now, s) - epochs_of(before, s);
    if (more < 0 || (more > 0 && s < stage)) return false;
  }
  return true;
}

}  // namespace

void check_resumable(const Configuration& before, const Configuration& now, Index stage) {
  std::string differences;
  const auto note = [&differences](const std::string& name, const std::string& old,
                                   const std::string& value) {
    differences += fmt::format("{}--{} was {} and is now {}", differences.empty() ? "" : ", ", name,
                               old, value);
  };
  if ((before.averaging == Averaging::kLocal) != (now.averaging == Averaging::kLocal)) {
    const Setting& averaging = setting("averaging");
    note(averaging.name, averaging.write(before), averaging.write(now));
  }
  for (const Setting& setting : settings()) {
    const std::string old = effective(setting, before);
    const std::string value = effective(setting, now);
    if (old == value || setting.on_resume == OnResume::kFree) continue;
    if (setting.on_resume == OnResume::kMoreEpochs && before.layers.size() == now.layers.size() &&
        only_adds_epochs(before, now, stage)) {
      continue;
    }
    note(setting.name, old, value);
  }
  require(differences.empty(),
          fmt::format("The run cannot be resumed with other settings: {}. Its own are in the "
                      "config.cfg of its folder, which --config takes.",
                      differences));
}

}  // namespace sae
