#pragma once

#include <optional>
#include <string>
#include <vector>

#include "sae/data/scaling.hpp"

namespace sae {

/// What it takes, besides the network, to apply a model to samples as they are in a file.
struct DataSpec {
  PixelType type = PixelType::kUint8;  ///< Bytes are divided by 255 before they are scaled.
  Scaling scaling = {};
  std::vector<std::string> feature_names = {};  ///< May be empty.
  std::vector<std::string> class_names = {};    ///< By label; may be empty.
};

/// The number of a class, and its name where classes have names that tell more: "2 pear".
std::string label_text(const std::vector<std::string>& class_names, Index label);

/// The first difference, in words. None where they are the same or where one has no names.
std::optional<std::string> different_features(const std::vector<std::string>& of_model,
                                              const std::vector<std::string>& of_dataset);

}  // namespace sae
