// The products of each stage, without the rest of its objective.
#include <map>
#include <memory>
#include <tuple>
#include <utility>

#include "bench_measure.hpp"
#include "sae/kernels/products.hpp"

namespace sae {
namespace {

/// Writes all buckets to the same memory; records the weights that they belong to.
class ScratchGradient final : public GradientSink<float> {
 public:
  ScratchGradient(const ParameterLayout& layout, bool rounded) : layout_(layout) {
    const Index size = largest_bucket(layout);
    if (rounded) {
      rounded_ = Vector<bfloat16>::Zero(size);
    } else {
      values_ = Vector<float>::Zero(size);
    }
  }
  bool reduce_sums(const ObjectiveSums& /*sums*/) override { return true; }
  GradientRef<float> memory(Range bucket) override {
    const auto size = static_cast<std::size_t>(bucket.size());
    if (rounded_.size() > 0) return {{}, span_of(rounded_).first(size)};
    return {span_of(values_).first(size), {}};
  }
  void ready(Range bucket) override {
    for (const ParameterView& view : layout_.views()) {
      if (view.is_weights && bucket.begin >= view.offset &&
          bucket.begin < view.offset + view.size()) {
        weights.push_back(view.offset);
      }
    }
  }

  std::vector<Index> weights;  ///< By bucket of weights: offset of the weights.

 private:
  const ParameterLayout& layout_;
  Vector<float> values_;  // Either these or rounded_.
  Vector<bfloat16> rounded_;
};

/// Matrices of small values, one for each use and shape.
class Buffers {
 public:
  template <typename T>
  Matrix<T>& get(const char* use, Index rows, Index cols) {
    auto& buffer = buffers_[{use, rows, cols, sizeof(T)}];
    if (!buffer) buffer = std::make_shared<Matrix<T>>(Matrix<T>::Constant(rows, cols, T(0.125F)));
    return *std::static_pointer_cast<Matrix<T>>(buffer);
  }

 private:
  std::map<std::tuple<std::string, Index, Index, std::size_t>, std::shared_ptr<void>> buffers_;
};

template <typename T, typename R>
std::function<void()> replay(const ProductCall& call, Buffers& buffers) {
  auto& w = buffers.get<T>("weights", call.outputs, call.inputs);
  auto& x = buffers.get<T>("below", call.inputs, call.samples);
  auto& y = buffers.get<T>("above", call.outputs, call.samples);
  switch (call.kind) {
    case ProductCall::Kind::kForward: {
      auto& result = buffers.get<R>("result", call.outputs, call.samples);
      return [&] { multiply<T, R>(w, x, result); };
    }
    case ProductCall::Kind::kTransposed: {
      auto& result = buffers.get<R>("result", call.inputs, call.samples);
      return [&] { multiply_transposed<T, R>(w, y, result); };
    }
    case ProductCall::Kind::kOuter:
      break;
  }
  auto& result = buffers.get<R>("gradient", call.outputs, call.inputs);
  return [&] { multiply_outer<T, R>(y, x, result); };
}

std::function<void()> replay(const ProductCall& call, Buffers& buffers) {
  if (!call.rounded_operands) return replay<float, float>(call, buffers);
  if (!call.rounded_result) return replay<bfloat16, float>(call, buffers);
  return replay<bfloat16, bfloat16>(call, buffers);
}

const char* name_of(ProductCall::Kind kind) {
  switch (kind) {
    case ProductCall::Kind::kForward:
      return "forward";
    case ProductCall::Kind::kTransposed:
      return "transposed";
    case ProductCall::Kind::kOuter:
      break;
  }
  return "gradient";
}

}  // namespace

std::vector<StageProduct> stage_products(const ParameterLayout& layout, const Stage& stage,
                                         const ParametersRef<float>& parameters,
                                         const Minibatch<float>& minibatch, bool rounded_gradient) {
  ScratchGradient gradient(layout, rounded_gradient);
  std::vector<ProductCall> calls;
  {
    const ProductRecorder recorder(calls);
    stage.objective->evaluate(parameters, minibatch, 1, gradient);
  }
  const auto buffers = std::make_shared<Buffers>();  // Owned by the products.
  std::vector<StageProduct> products;
  std::size_t bucket = 0;
  for (const ProductCall& call : calls) {
    auto run = [buffers, product = replay(call, *buffers)] { product(); };
    const bool is_gradient = call.kind == ProductCall::Kind::kOuter;
    if (is_gradient && bucket > 0 && bucket < gradient.weights.size() &&
        gradient.weights[bucket] == gradient.weights[bucket - 1]) {
      StageProduct& whole = products.back();
      whole.shape.inputs += call.inputs;
      whole.run = [before = std::move(whole.run), run = std::move(run)] {
        before();
        run();
      };
    } else {
      products.push_back({{.kind = name_of(call.kind),
                           .outputs = call.outputs,
                           .inputs = call.inputs,
                           .samples = call.samples,
                           .wide_result = !call.rounded_result},
                          std::move(run)});
    }
    if (is_gradient) ++bucket;
  }
  return products;
}

}  // namespace sae
