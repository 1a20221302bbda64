#pragma once

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

}  // namespace sae
