#pragma once

#include <vector>

#include "sae/model/denoising.hpp"
#include "sae/model/gradient_buckets.hpp"
#include "sae/model/normalizer.hpp"
#include "sae/model/objective.hpp"

namespace sae {

struct JointSettings {
  Range layers;                ///< The hidden layers that are trained.
  bool classifies = false;     ///< Whether the output layer is as well, by the labels.
  double dropout = 0;          ///< Probability of a unit to be 0 for the layer above.
  double label_smoothing = 0;  ///< Share of a label that all classes divide among them.
  /// Times the squared error of the clean input, averaged over its features; 0: there is no
  /// decoder.
  double reconstruction_weight = 0;
  DenoisingSettings inputs;  ///< How they are corrupted; of the first of the layers.
  Noise layer_noise = {};    ///< Of every layer, before gain, bias and activation.
};

/// A denoising autoencoder and a classifier trained as one, after Rasmus et al., 'Semi-supervised
/// learning with ladder networks', NIPS 2015, with the clean input as the only target:
///
///   h_0 = z_0 = x with noise,  z_l = N(W_l h_(l-1)) with noise,  h_l = f(g_l z_l + b_l),
///   softmax(g z + b) of the output layer; and from the top down
///   u_top = N(softmax),  u_l = N(W_(l+1)^T r_(l+1)),  r_l = combine(z_l, u_l),
///   cost = cross-entropy + weight * mean((r_0 - x)^2),
///
/// with N the normalisation of the network. With dropout (Srivastava et al., JMLR 15, 2014) the
/// next layer sees h_l with units at 0 at random, and the others divided by the share that stays.
/// Without an output layer r_top = h_top. Without lateral connections r_top = h_top as well, r_l =
/// f(u_l + c_l), and r_0 the values of visible units from W_1^T r_1 + c_0. A free decoder has
/// weights of its own in place of W^T. Samples drawn besides are normalised on their own and
/// reconstruct nothing; where there are such, the labels of the others are not used. Operands of
/// products are of type T, the gradient of type G.
template <typename T, typename G = Master<T>>
class JointObjective final : public Objective<Master<T>> {
 public:
  /// The layout must outlive the objective.
  JointObjective(const ParameterLayout& layout, const JointSettings& settings);

  Range trainable_range() const override;
  void stage_begins(const ParametersRef<Master<T>>& parameters) override {
    inputs_.donors = encode_donors<T>(layout_, settings_.inputs, parameters);
  }
  using Objective<Master<T>>::evaluate;
  ObjectiveSums evaluate(const ParametersRef<Master<T>>& parameters,
                         const Minibatch<Master<T>>& minibatch, std::uint32_t epoch,
                         GradientSink<Master<T>>& gradient) override;
  double flop_per_sample(Index encoded_layers) const override;

 private:
  using M = Master<T>;

  /// Between two layers, or at an end: level 0 is the input, level l the values of layer l.
  struct Level {
    Matrix<M> normalized;      ///< N(W h) without noise.
    Matrix<M> noisy;           ///< z
    Matrix<M> codes;           ///< h; at the output the logits.
    Matrix<M> unit_inputs;     ///< Of h, where the derivative needs them.
    Matrix<M> delta;           ///< By h, then by N(W h), then by W h.
    Matrix<M> projected;       ///< u, of the samples that are decoded.
    Matrix<M> decoded;         ///< r; of the input in the end its error.
    Matrix<M> decoded_inputs;  ///< Of the units of r, where the derivative needs them.
    Matrix<M> decoded_delta;   ///< By r, then by what is projected.
    Matrix<M> lateral_delta;   ///< By z, through the combinator.
    Matrix<M> combinator_gradient;
    Vector<M> bias_gradient, gain_gradient, visible_bias_gradient;
    Normalizer<M> encoder, decoder;
  };
  /// What a layer's products read, side by side, so that one product sums up both gradients of its
  /// weights.
  struct Operands {
    Matrix<T> below;  ///< (inputs, samples + decoded): h below, then the derivative by W^T r.
    Matrix<T> above;  ///< (units, samples + decoded): the derivative by W h, then r.
  };

  Index layers() const { return static_cast<Index>(operands_.size()); }
  bool is_output(Index layer) const { return layer == settings_.layers.size(); }
  const LayerViews& views(Index layer) const {
    return is_output(layer) ? layout_.output() : layout_.hidden(settings_.layers.begin + layer);
  }
  Level& level(Index l) { return levels_[static_cast<std::size_t>(l)]; }
  Operands& operands(Index layer) { return operands_[static_cast<std::size_t>(layer)]; }
  bool lateral() const { return layout_.topology().lateral; }
  bool is_free() const { return layout_.topology().decoder == Decoder::kFree; }
  bool decodes() const { return settings_.reconstruction_weight > 0; }
  /// Whether the decoder begins at the highest codes, not at the softmax.
  bool begins_at_codes() const { return !lateral() || !settings_.classifies; }
  /// The level that the decoder begins at.
  Index top() const { return begins_at_codes() ? settings_.layers.size() : layers(); }
  const ParameterView& combinator(Index l) const {
    return l < layers() ? views(l).combinator : views(l - 1).top_combinator;
  }
  auto row(const ParametersRef<M>& parameters, const ParameterView& view) const {
    return view_of(parameters.values, view).col(0);
  }

  void encode_all(const ParametersRef<M>& parameters, const Minibatch<M>& minibatch,
                  std::uint32_t epoch, GradientSink<M>& sums);
  ObjectiveSums classify(const Minibatch<M>& minibatch);
  double decode_all(const ParametersRef<M>& parameters, GradientSink<M>& sums);
  void decode_level(const ParametersRef<M>& parameters, Index l, GradientSink<M>& sums);
  void backpropagate_decoder(const ParametersRef<M>& parameters, GradientSink<M>& sums);
  void backpropagate_level(const ParametersRef<M>& parameters, Index l, GradientSink<M>& sums);
  void backpropagate_encoder(const ParametersRef<M>& parameters, GradientSink<M>& sums);
  void give_gradient(GradientSink<M>& gradient);

  const ParameterLayout& layout_;
  JointSettings settings_;
  DenoisingInputs<T> inputs_;
  std::vector<Level> levels_;  ///< One more than layers.
  std::vector<Operands> operands_;
  SampleGroups groups_;     ///< Those drawn besides, then the others.
  Index samples_ = 0;       ///< Of the minibatch, with those drawn besides.
  Index decoded_ = 0;       ///< Its last ones, that are decoded.
  Matrix<M> class_shares_;  ///< Softmax of the decoded samples.
};

}  // namespace sae
