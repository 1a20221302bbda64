#pragma once

#include <filesystem>
#include <string>

#include "sae/core/choices.hpp"
#include "sae/data/data_spec.hpp"
#include "sae/model/flat_vectors.hpp"
#include "sae/model/parameter_layout.hpp"

namespace sae {

/// What an ONNX file computes of `samples`, float32 (samples, features), as they are in a data set;
/// bytes are values from 0 to 255.
enum class OnnxPart {
  kClassifier,  ///< `label`, int64 (samples), and `probability` (samples, classes).
  kEncoder,     ///< `codes` (samples, units).
  kAutoencoder  ///< `reconstruction` in the units of the samples, and `score` (samples), the mean
                ///< squared error of the scaled inputs.
};

/// All parts with their names in options, such as "encoder".
const Choices<OnnxPart>& onnx_parts();

struct OnnxSettings {
  OnnxPart part = OnnxPart::kClassifier;
  Index layers = 0;  ///< Hidden layers to encode through, at least 1; all of them for kClassifier.
  // For the file's metadata.
  std::string model = {};    ///< File name.
  std::string version = {};  ///< Of the program.
};

/// Writes the part as an ONNX file that has the scaling in it; publishes it complete or not at all.
/// The same input gives the same bytes.
/// Requires: the model has the layers, and classes if it is to classify.
/// Local. Throws: DataError if the file would be larger than protobuf allows, 2 GiB; OutputError.
void write_onnx(const std::filesystem::path& path, const OnnxSettings& settings,
                const DataSpec& data, const ParameterLayout& layout,
                const ParametersRef<float>& parameters);

}  // namespace sae
