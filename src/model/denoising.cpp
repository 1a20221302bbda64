#include "sae/model/denoising.hpp"

#include <cassert>

#include "sae/kernels/bfloat16.hpp"
#include "sae/model/stacked_autoencoder.hpp"

namespace sae {

template <typename T>
Matrix<T> encode_donors(const ParameterLayout& layout, const DenoisingSettings& settings,
                        const ParametersRef<Master<T>>& parameters) {
  if (!settings.donors) return {};
  Matrix<T> donors;
  convert<T>(settings.donors->cast<Master<T>>(), donors);
  const bool at_layer = settings.corruption_at == CorruptionAt::kLayer;
  return encode<T>(layout, {0, at_layer ? settings.layer : 0}, parameters, std::move(donors));
}

template <typename T>
void prepare_inputs(const ParameterLayout& layout, const DenoisingSettings& settings,
                    const ParametersRef<Master<T>>& parameters,
                    const Minibatch<Master<T>>& minibatch, std::uint32_t epoch,
                    DenoisingInputs<T>& inputs, MatrixRef<T> corrupted) {
  const NoiseKey key{settings.seed, settings.stage, epoch};
  const Range finished{minibatch.encoded_layers, settings.layer};
  const bool pixels_corrupted = settings.corruption_at == CorruptionAt::kImage && finished.end > 0;
  assert(finished.begin <= finished.end && (finished.begin == 0 || !pixels_corrupted));
  if (finished.size() == 0) {
    convert<T>(minibatch.inputs, inputs.clean);
  } else {
    convert<T>(minibatch.inputs, inputs.pixels);
    inputs.clean = encode<T>(layout, finished, parameters, inputs.pixels);
  }
  if (!pixels_corrupted) {
    corrupt<T>(settings.noise, key, minibatch.samples, inputs.clean, corrupted, inputs.donors);
  } else {
    inputs.corrupted_pixels.resize(inputs.pixels.rows(), inputs.pixels.cols());
    corrupt<T>(settings.noise, key, minibatch.samples, inputs.pixels, inputs.corrupted_pixels,
               inputs.donors);
    corrupted = encode<T>(layout, finished, parameters, inputs.corrupted_pixels);
  }
}

Reconstructions reconstruct(const ParameterLayout& layout, const ParametersRef<float>& parameters,
                            const DenoisingSettings& settings, const Minibatch<float>& samples,
                            std::uint32_t epoch) {
  const LayerViews& views = layout.hidden(settings.layer);
  DenoisingInputs<float> inputs;
  inputs.donors = encode_donors<float>(layout, settings, parameters);
  Matrix<float> corrupted(views.weights.cols, samples.size());
  prepare_inputs<float>(layout, settings, parameters, samples, epoch, inputs, corrupted);
  const Range layer{settings.layer, settings.layer + 1};
  Matrix<float> codes = encode<float>(layout, layer, parameters, corrupted);
  const bool decoded = inputs.corrupted_pixels.size() == 0;
  return {.inputs = samples.inputs,
          .corrupted = decoded
                           ? decode<float>(layout, settings.layer, parameters, std::move(corrupted))
                           : std::move(inputs.corrupted_pixels),
          .reconstructed = decode<float>(layout, settings.layer + 1, parameters, std::move(codes))};
}

#define SAE_INSTANTIATE(T)                                                                      \
  template Matrix<T> encode_donors<T>(const ParameterLayout&, const DenoisingSettings&,         \
                                      const ParametersRef<Master<T>>&);                         \
  template void prepare_inputs<T>(const ParameterLayout&, const DenoisingSettings&,             \
                                  const ParametersRef<Master<T>>&, const Minibatch<Master<T>>&, \
                                  std::uint32_t, DenoisingInputs<T>&, MatrixRef<T>);
SAE_INSTANTIATE(float)
SAE_INSTANTIATE(double)
SAE_INSTANTIATE(bfloat16)
#undef SAE_INSTANTIATE

}  // namespace sae
