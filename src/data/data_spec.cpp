#include "sae/data/data_spec.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace sae {

std::string label_text(const std::vector<std::string>& class_names, Index label) {
  std::string number = fmt::format("{}", label);
  const auto i = static_cast<std::size_t>(label);
  if (i >= class_names.size() || class_names[i] == number) return number;
  return number + " " + class_names[i];
}

std::optional<std::string> different_features(const std::vector<std::string>& of_model,
                                              const std::vector<std::string>& of_dataset) {
  if (of_model.empty() || of_dataset.empty()) return std::nullopt;
  const auto [known, given] = std::ranges::mismatch(of_model, of_dataset);
  if (known == of_model.end() && given == of_dataset.end()) return std::nullopt;
  if (known == of_model.end() || given == of_dataset.end()) {
    return fmt::format("the model has {} features, the data set has {}", of_model.size(),
                       of_dataset.size());
  }
  return fmt::format("feature {} is '{}' in the model and '{}' in the data set",
                     known - of_model.begin() + 1, *known, *given);
}

}  // namespace sae
