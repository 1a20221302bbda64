#pragma once

#include <span>
#include <string>
#include <vector>

#include "sae/core/choices.hpp"
#include "sae/core/types.hpp"
#include "sae/kernels/activation.hpp"
#include "sae/kernels/normalization.hpp"
#include "sae/kernels/visible.hpp"

namespace sae {

/// A hidden layer as a value.
struct LayerSpec {
  LayerSpec(Index given_units = 0, Activation given_activation = Activation::kSigmoid)
      : units(given_units), activation(given_activation) {}

  Index units;
  Activation activation;
  friend bool operator==(const LayerSpec&, const LayerSpec&) = default;
};

/// How a layer's input is reconstructed from its codes.
enum class Decoder {
  kTied,  ///< By the transposed weights of the encoder.
  kFree,  ///< By weights of its own.
  kNone   ///< Not at all: what remains of a model whose decoder needs more than the codes.
};

/// All decoders with their names in settings and files, such as "tied".
const Choices<Decoder>& decoder_kinds();

/// The network as a value, from the pixels to the classes.
struct Topology {
  Index inputs = 0;
  std::vector<LayerSpec> hidden;
  Index classes = 0;                      ///< 0: the network has no output layer.
  Visible visible = Visible::kBernoulli;  ///< The pixels, as they are reconstructed.
  Decoder decoder = Decoder::kTied;
  Normalization normalization = Normalization::kNone;  ///< Of every layer, also of the output.
  /// Whether the decoder combines what comes from above with the noisy values beside it.
  bool lateral = false;

  Index hidden_layers() const { return static_cast<Index>(hidden.size()); }
  const LayerSpec& layer(Index layer) const { return hidden[static_cast<std::size_t>(layer)]; }
  /// Inputs of hidden layer `layer`, counted from 0; of the output layer if `layer` is
  /// hidden_layers().
  Index inputs_of(Index of) const { return of == 0 ? inputs : layer(of - 1).units; }
  /// Units of the widest hidden layer.
  Index widest() const;
  /// What the inputs of a hidden layer are when they are reconstructed.
  Visible visible_of(Index layer) const;
  /// Whether inputs can be reconstructed from codes alone, as they are.
  bool reconstructs() const {
    return decoder == Decoder::kTied && !lateral && normalization == Normalization::kNone;
  }
  friend bool operator==(const Topology&, const Topology&) = default;
};

/// Such as "784-1000-1000-10"; without an output layer "784-1000-1000".
std::string to_string(const Topology& topology);

/// One array of the model within the flat parameter vector: a matrix of shape (rows, cols),
/// column-major. Weights have shape (outputs, inputs); a bias has one column.
struct ParameterView {
  std::string name;  ///< As in a checkpoint, such as "hidden1/weights".
  Index rows = 0;
  Index cols = 0;
  Index offset = 0;
  bool is_weights = false;

  Index size() const { return rows * cols; }
};

/// A layer h = activation(W x + b) or, at the output, logits W x + b. Where it is normalised, h =
/// activation(gain * (W x - mean) / sqrt(variance + epsilon) + b); a gain of a relu unit would only
/// rescale what the next layer normalises, so it has none. Arrays that a layer lacks have size 0.
struct LayerViews {
  Activation activation{};
  Visible visible{};  ///< Its inputs, as they are reconstructed.
  Normalization normalization{};
  ParameterView weights;
  ParameterView bias;
  ParameterView gain;
  ParameterView decoder;       ///< Weights of a free decoder of its inputs, shape (inputs, units).
  ParameterView visible_bias;  ///< Of the decoder; the output layer has none.
  ParameterView combinator;    ///< Of its inputs, shape (inputs, 10).
  ParameterView top_combinator;  ///< Of the output, shape (classes, 10).
  /// Statistics of the training samples, which no gradient changes; of batch normalisation.
  ParameterView mean;
  ParameterView variance;

  /// All arrays that there are, in order of their offsets.
  std::vector<const ParameterView*> all() const;
};

/// Where each array lies in the one flat vector that holds all parameters (and, in
/// another vector of this layout, the gradient). Layers follow each other, so that
/// each stage trains one contiguous range. Arrays begin at multiples of kAlignment; what
/// lies between them is 0.
class ParameterLayout {
 public:
  explicit ParameterLayout(const Topology& topology);

  const Topology& topology() const { return topology_; }
  Index size() const { return size_; }

  const LayerViews& hidden(Index layer) const { return layers_[static_cast<std::size_t>(layer)]; }
  const LayerViews& output() const { return layers_.back(); }
  /// All layers: the hidden ones, then the output, if there is one.
  Index layers() const { return topology_.hidden_layers() + (topology_.classes > 0 ? 1 : 0); }
  const LayerViews& layer(Index layer) const { return layers_[static_cast<std::size_t>(layer)]; }

  /// All arrays, in order of their offsets.
  const std::vector<ParameterView>& views() const { return views_; }

  /// Weights, bias and visible bias of one hidden layer.
  Range pretraining_range(Index layer) const;

  /// Everything. A classifier gives the visible biases, which lie in it, a gradient of 0.
  Range finetuning_range() const { return {0, size_}; }

  static constexpr Index kAlignment = 16;  ///< Elements: a cache line of floats.

 private:
  Topology topology_;
  std::vector<LayerViews> layers_;  // Hidden ones, then the output.
  std::vector<ParameterView> views_;
  Index size_ = 0;
};

template <typename T>
using MatrixMap = Eigen::Map<Matrix<T>>;
template <typename T>
using ConstMatrixMap = Eigen::Map<const Matrix<T>>;

/// The array of a view within a flat vector of the layout.
template <typename T>
MatrixMap<T> view_of(std::span<T> flat, const ParameterView& view) {
  return {flat.data() + view.offset, view.rows, view.cols};
}
template <typename T>
ConstMatrixMap<T> view_of(std::span<const T> flat, const ParameterView& view) {
  return {flat.data() + view.offset, view.rows, view.cols};
}
template <typename T>
MatrixMap<T> view_of(Vector<T>& flat, const ParameterView& view) {
  return {flat.data() + view.offset, view.rows, view.cols};
}
template <typename T>
ConstMatrixMap<T> view_of(const Vector<T>& flat, const ParameterView& view) {
  return {flat.data() + view.offset, view.rows, view.cols};
}

}  // namespace sae
