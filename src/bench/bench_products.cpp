// The products of each stage as its objective does them, without what stands between them.
#include <map>
#include <memory>
#include <tuple>
#include <utility>

#include "bench_parts.hpp"
#include "sae/kernels/products.hpp"

namespace sae {
namespace {

/// Takes one part of a gradient after the other into the same memory; notes whose weights they are.
class ScratchGradient final : public GradientSink<float> {
 public:
  ScratchGradient(const ParameterLayout& layout, bool rounded) : layout_(layout) {
    const Index size = largest_part(layout);
    if (rounded) {
      rounded_ = Vector<bfloat16>::Zero(size);
    } else {
      values_ = Vector<float>::Zero(size);
    }
  }
  bool begin(const ObjectiveSums& /*sums*/) override { return true; }
  GradientRef<float> memory(Range part) override {
    const auto size = static_cast<std::size_t>(part.size());
    if (rounded_.size() > 0) return {{}, span_of(rounded_).first(size)};
    return {span_of(values_).first(size), {}};
  }
  void ready(Range part) override {
    for (const ParameterView& view : layout_.views()) {
      if (view.is_weights && part.begin >= view.offset && part.begin < view.offset + view.size()) {
        weights.push_back(view.offset);
      }
    }
  }

  std::vector<Index> weights;  ///< Where the weights begin that each part belongs to.

 private:
  const ParameterLayout& layout_;
  Vector<float> values_;  // One of the two.
  Vector<bfloat16> rounded_;
};

/// Matrices with values of which sums stay small, one for each use and shape.
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
std::function<void()> again(const ProductCall& call, Buffers& buffers) {
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

std::function<void()> again(const ProductCall& call, Buffers& buffers) {
  if (!call.rounded_operands) return again<float, float>(call, buffers);
  if (!call.rounded_result) return again<bfloat16, float>(call, buffers);
  return again<bfloat16, bfloat16>(call, buffers);
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
  const auto buffers = std::make_shared<Buffers>();  // Kept alive by the products.
  std::vector<StageProduct> products;
  std::size_t part = 0;
  for (const ProductCall& call : calls) {
    auto run = [buffers, product = again(call, *buffers)] { product(); };
    const bool is_part = call.kind == ProductCall::Kind::kOuter;
    if (is_part && part > 0 && part < gradient.weights.size() &&
        gradient.weights[part] == gradient.weights[part - 1]) {
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
    if (is_part) ++part;
  }
  return products;
}

}  // namespace sae
