// The products of each stage as the objectives do them, without what stands between them.
#include <memory>
#include <utility>

#include "bench_parts.hpp"
#include "sae/kernels/products.hpp"
#include "sae/model/gradient_parts.hpp"

namespace sae {
namespace {

/// Takes one part of a gradient after the other into the same memory.
template <typename G>
class Scratch final : public GradientSink<float> {
 public:
  explicit Scratch(Index elements) : memory_(Vector<G>::Zero(elements)) {}
  bool begin(const ObjectiveSums& /*sums*/) override { return true; }
  GradientRef<float> memory(Range part) override {
    const auto taken = span_of(memory_).first(static_cast<std::size_t>(part.size()));
    if constexpr (std::is_same_v<G, bfloat16>) return {{}, taken};
    if constexpr (!std::is_same_v<G, bfloat16>) return {taken, {}};
  }
  void ready(Range /*part*/) override {}

 private:
  Vector<G> memory_;
};

template <typename T, typename G>
class ProductList {
 public:
  ProductList(const ParameterLayout& layout, GradientAveraging& averaging)
      : layout_(layout), averaging_(averaging) {}

  void forward(const LayerViews& views, MatrixRef<T> x, MatrixRef<T> result) {
    add("forward", views, x.cols(), kWide<T>,
        [w = weights(views), x, result]() mutable { multiply<T>(w, x, result); });
  }

  void forward_wide(const LayerViews& views, MatrixRef<T> x, MatrixRef<Master<T>> result) {
    add("forward", views, x.cols(), true,
        [w = weights(views), x, result]() mutable { multiply<T, Master<T>>(w, x, result); });
  }

  template <typename R>
  void transposed(const LayerViews& views, MatrixRef<T> y, MatrixRef<R> result) {
    add("transposed", views, y.cols(), kWide<R>,
        [w = weights(views), y, result]() mutable { multiply_transposed<T, R>(w, y, result); });
  }

  void gradient(const LayerViews& views, MatrixRef<T> y, MatrixRef<T> x) {
    auto sink = std::make_shared<Scratch<G>>(largest_part(layout_));
    add("gradient", views, x.cols(), kWide<G>,
        [y, x, &views, sink] { give_outer_product<G, T>(y, x, views.weights, *sink); });
  }

  /// A buffer with values of which sums stay small.
  template <typename R = T>
  Matrix<R>& buffer(Index rows, Index cols) {
    auto matrix = std::make_shared<Matrix<R>>(Matrix<R>::Constant(rows, cols, R(0.125F)));
    Matrix<R>& result = *matrix;
    buffers_.push_back(std::move(matrix));
    return result;
  }

  /// The list; it keeps the buffers alive.
  std::vector<StageProduct> take() {
    for (StageProduct& product : products_) {
      product.run = [run = std::move(product.run), buffers = buffers_] { run(); };
    }
    return std::move(products_);
  }

 private:
  template <typename R>
  static constexpr bool kWide = !std::is_same_v<R, bfloat16>;

  auto weights(const LayerViews& views) const {
    return view_of(elements_of<T>(averaging_.parameters_ref()), views.weights);
  }

  template <typename Run>
  void add(const char* kind, const LayerViews& views, Index samples, bool wide_result, Run&& run) {
    products_.push_back({{.kind = kind,
                          .outputs = views.weights.rows,
                          .inputs = views.weights.cols,
                          .samples = samples,
                          .wide_result = wide_result},
                         std::forward<Run>(run)});
  }

  const ParameterLayout& layout_;
  GradientAveraging& averaging_;
  std::vector<std::shared_ptr<void>> buffers_;
  std::vector<StageProduct> products_;
};

/// As DenoisingObjective::evaluate.
template <typename T, typename G>
std::vector<StageProduct> pretraining_products(const ParameterLayout& layout, Index layer,
                                               const Configuration& configuration, Index samples,
                                               GradientAveraging& averaging, Index encoded_layers) {
  ProductList<T, G> list(layout, averaging);
  const LayerViews& views = layout.hidden(layer);
  auto& below = list.buffer(views.weights.cols, 2 * samples);
  auto& above = list.buffer(views.weights.rows, 2 * samples);
  auto& logits = list.template buffer<Master<T>>(views.weights.cols, samples);
  const int passes = configuration.corruption_at == CorruptionAt::kImage ? 2 : 1;
  for (int pass = 0; pass < passes && layer > encoded_layers; ++pass) {
    auto* x = &list.buffer(layout.hidden(encoded_layers).weights.cols, samples);
    for (Index finished = encoded_layers; finished < layer; ++finished) {
      auto* codes = &list.buffer(layout.hidden(finished).weights.rows, samples);
      list.forward(layout.hidden(finished), *x, *codes);
      x = codes;
    }
  }
  list.forward(views, below.leftCols(samples), above.rightCols(samples));
  list.template transposed<Master<T>>(views, above.rightCols(samples), logits);
  list.forward(views, below.rightCols(samples), above.leftCols(samples));
  list.gradient(views, above, below);
  return list.take();
}

/// As ClassifierObjective::evaluate.
template <typename T, typename G>
std::vector<StageProduct> finetuning_products(const ParameterLayout& layout, Index samples,
                                              GradientAveraging& averaging) {
  ProductList<T, G> list(layout, averaging);
  const Index layers = layout.topology().hidden_layers();
  std::vector<Matrix<T>*> activations = {&list.buffer(layout.topology().inputs, samples)};
  for (Index layer = 0; layer < layers; ++layer) {
    activations.push_back(&list.buffer(layout.hidden(layer).weights.rows, samples));
    list.forward(layout.hidden(layer), *activations[static_cast<std::size_t>(layer)],
                 *activations.back());
  }
  auto& logits = list.template buffer<Master<T>>(layout.topology().classes, samples);
  list.forward_wide(layout.output(), *activations.back(), logits);
  auto* delta = &list.buffer(layout.topology().classes, samples);
  for (Index layer = layers; layer >= 0; --layer) {
    const LayerViews& views = layer == layers ? layout.output() : layout.hidden(layer);
    list.gradient(views, *delta, *activations[static_cast<std::size_t>(layer)]);
    if (layer == 0) break;
    auto* delta_below = &list.buffer(views.weights.cols, samples);
    list.template transposed<T>(views, *delta, *delta_below);
    delta = delta_below;
  }
  return list.take();
}

template <typename T, typename G>
std::vector<StageProduct> products_of(const ParameterLayout& layout, Index layer,
                                      const Configuration& configuration, Index samples,
                                      GradientAveraging& averaging, Index encoded_layers) {
  if (layer == layout.topology().hidden_layers()) {
    return finetuning_products<T, G>(layout, samples, averaging);
  }
  return pretraining_products<T, G>(layout, layer, configuration, samples, averaging,
                                    encoded_layers);
}

}  // namespace

std::vector<StageProduct> stage_products(const ParameterLayout& layout, Index layer,
                                         const Configuration& configuration, Index samples,
                                         GradientAveraging& averaging, Index encoded_layers) {
  const Precision gradient = averaging_settings(configuration).written_gradient();
  if (precision_of(configuration) == Precision::kFloat32) {
    return products_of<float, float>(layout, layer, configuration, samples, averaging,
                                     encoded_layers);
  }
  if (gradient == Precision::kBfloat16) {
    return products_of<bfloat16, bfloat16>(layout, layer, configuration, samples, averaging,
                                           encoded_layers);
  }
  return products_of<bfloat16, float>(layout, layer, configuration, samples, averaging,
                                      encoded_layers);
}

}  // namespace sae
