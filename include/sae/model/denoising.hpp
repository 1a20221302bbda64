#pragma once

#include <cstdint>
#include <memory>

#include "sae/data/minibatch.hpp"
#include "sae/model/flat_vectors.hpp"
#include "sae/model/noise.hpp"
#include "sae/model/parameter_layout.hpp"

namespace sae {

/// Where the noise enters.
enum class CorruptionAt {
  kLayer,  ///< At the input of the trained layer, computed clean (Vincent et al.).
  kImage   ///< At the pixels; it passes up through the finished layers.
};

struct DenoisingSettings {
  Index layer = 0;  ///< The hidden layer that is trained, counted from 0.
  Noise noise = {};
  CorruptionAt corruption_at = CorruptionAt::kLayer;
  std::uint64_t seed = 0;
  std::uint32_t stage = 0;  ///< Position of the stage in the run: part of the noise's key.
  /// Inputs of other samples, for noise that takes their values; null: none.
  std::shared_ptr<const Matrix<float>> donors = {};
};

/// What a denoising autoencoder is given, one sample per column.
template <typename T>
struct DenoisingInputs {
  Matrix<T> pixels;            ///< Or codes; left alone if the layer's input is the minibatch's.
  Matrix<T> corrupted_pixels;  ///< Only where the noise enters there and layers lie between.
  Matrix<T> clean;             ///< The layer's input: what it reconstructs.
  Matrix<T> donors;            ///< As the noise sees them; see encode_donors().
};

/// The donors where the noise enters: pixels, or the layer's input. Depends on the parameters of
/// finished layers alone.
template <typename T>
Matrix<T> encode_donors(const ParameterLayout& layout, const DenoisingSettings& settings,
                        const ParametersRef<Master<T>>& parameters);

/// Computes the clean input of the layer and writes the corrupted one (inputs, samples). T is
/// float, double or bfloat16.
template <typename T>
void prepare_inputs(const ParameterLayout& layout, const DenoisingSettings& settings,
                    const ParametersRef<Master<T>>& parameters,
                    const Minibatch<Master<T>>& minibatch, std::uint32_t epoch,
                    DenoisingInputs<T>& inputs, MatrixRef<T> corrupted);

/// Samples as a denoising autoencoder sees and returns them; each (pixels, samples). What lies
/// above the pixels is decoded by the finished layers below.
struct Reconstructions {
  Matrix<float> inputs;
  Matrix<float> corrupted;
  Matrix<float> reconstructed;
};
Reconstructions reconstruct(const ParameterLayout& layout, const ParametersRef<float>& parameters,
                            const DenoisingSettings& settings, const Minibatch<float>& samples,
                            std::uint32_t epoch);

}  // namespace sae
