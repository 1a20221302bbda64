#include "onednn_products.hpp"

#include "sae/kernels/instructions.hpp"

#ifdef SAE_HAS_ONEDNN

#include <fmt/format.h>
#include <omp.h>

#include <compare>
#include <map>
#include <oneapi/dnnl/dnnl.hpp>
#include <unordered_map>

namespace sae {
namespace {

using dnnl::memory;

template <typename T>
constexpr memory::data_type kType =
    std::is_same_v<T, bfloat16> ? memory::data_type::bf16 : memory::data_type::f32;

struct OneDnn {
  dnnl::engine engine{dnnl::engine::kind::cpu, 0};
  dnnl::stream stream{engine};
};

OneDnn& onednn() {
  static OneDnn instance;
  return instance;
}

/// Key of a cached primitive.
struct ProductShape {
  memory::data_type operands, result;
  Index m, n, k;
  memory::dims a_strides, b_strides;
  Index result_stride;
  bool bias_and_logistic;
  int threads;
  auto operator<=>(const ProductShape&) const = default;
};

struct Product {
  memory::desc a, b, bias, result, scratchpad;
  dnnl::matmul primitive;
};

// Versions 2 and 3 of oneDNN differ in these two.
dnnl::matmul::primitive_desc describe(const Product& product,
                                      const dnnl::primitive_attr& attributes, bool with_bias) {
#if DNNL_VERSION_MAJOR >= 3
  return with_bias ? dnnl::matmul::primitive_desc(onednn().engine, product.a, product.b,
                                                  product.bias, product.result, attributes)
                   : dnnl::matmul::primitive_desc(onednn().engine, product.a, product.b,
                                                  product.result, attributes);
#else
  const auto description =
      with_bias ? dnnl::matmul::desc(product.a, product.b, product.bias, product.result)
                : dnnl::matmul::desc(product.a, product.b, product.result);
  return {description, attributes, onednn().engine};
#endif
}

void append_logistic(dnnl::post_ops& operations) {
#if DNNL_VERSION_MAJOR >= 3
  operations.append_eltwise(dnnl::algorithm::eltwise_logistic, 0, 0);
#else
  operations.append_eltwise(1.0f, dnnl::algorithm::eltwise_logistic, 0, 0);
#endif
}

Product make_product(const ProductShape& s) {
  Product product;
  product.a = {{s.m, s.k}, s.operands, s.a_strides};
  product.b = {{s.k, s.n}, s.operands, s.b_strides};
  product.result = {{s.m, s.n}, s.result, memory::dims{s.result_stride, 1}};
  dnnl::primitive_attr attributes;
  attributes.set_scratchpad_mode(dnnl::scratchpad_mode::user);
  if (s.bias_and_logistic) {
    product.bias = {{1, s.n}, memory::data_type::f32, memory::format_tag::ab};
    dnnl::post_ops operations;
    append_logistic(operations);
    attributes.set_post_ops(operations);
  }
  const auto made = describe(product, attributes, s.bias_and_logistic);
  product.scratchpad = made.scratchpad_desc();
  product.primitive = dnnl::matmul(made);
  return product;
}

/// Cached by shape: creating a primitive takes longer than running it.
const Product& product_for(const ProductShape& shape) {
  static std::map<ProductShape, Product> products;
  auto found = products.find(shape);
  if (found == products.end()) found = products.emplace(shape, make_product(shape)).first;
  return found->second;
}

memory wrap(const memory::desc& description, const void* data) {
  return {description, onednn().engine, const_cast<void*>(data)};
}

/// Scratch memory of at least `bytes`. All products share one; oneDNN would keep one for each
/// shape.
void* scratchpad_of(std::size_t bytes) {
  static memory scratchpad;
  if (!scratchpad || scratchpad.get_desc().get_size() < bytes) {
    scratchpad =
        memory({{static_cast<memory::dim>(bytes)}, memory::data_type::u8, memory::format_tag::a},
               onednn().engine);
  }
  return scratchpad.get_data_handle();
}

void multiply_packed(const ConstMatrixRef<float>& a, Transposed a_transposed,
                     const ConstMatrixRef<float>& b, MatrixRef<float> result) {
  const bool across = a_transposed == Transposed::kYes;
  dnnl::error::wrap_c_api(
      dnnl_sgemm(across ? 'T' : 'N', 'N', result.cols(), result.rows(),
                 across ? a.cols() : a.rows(), 1, a.data(), a.outerStride(), b.data(),
                 b.outerStride(), 0, result.data(), result.outerStride()),
      "dnnl_sgemm failed");
}

}  // namespace

bool onednn_packs(Index outputs) {
  constexpr Index kLong = 1500;  // With 1000 sgemm was slower, with 2000 faster.
  static const bool differs = instruction_set().starts_with("AVX-512");
  return differs && outputs >= kLong;
}

template <typename T, typename R>
void onednn_multiply(const ConstMatrixRef<T>& a, Transposed a_transposed,
                     const ConstMatrixRef<T>& b, Transposed b_transposed, const float* bias,
                     MatrixRef<R> result) {
  if (result.size() == 0) return;
  if constexpr (std::is_same_v<T, float> && std::is_same_v<R, float>) {
    if (bias == nullptr && b_transposed == Transposed::kNo && onednn_packs(result.rows())) {
      return multiply_packed(a, a_transposed, b, result);
    }
  }
  const auto strides = [](Index outer, Transposed transposed) {
    return transposed == Transposed::kYes ? memory::dims{1, outer} : memory::dims{outer, 1};
  };
  const ProductShape shape{.operands = kType<T>,
                           .result = kType<R>,
                           .m = result.cols(),
                           .n = result.rows(),
                           .k = a_transposed == Transposed::kYes ? a.cols() : a.rows(),
                           .a_strides = strides(a.outerStride(), a_transposed),
                           .b_strides = strides(b.outerStride(), b_transposed),
                           .result_stride = result.outerStride(),
                           .bias_and_logistic = bias != nullptr,
                           .threads = omp_get_max_threads()};
  const Product& product = product_for(shape);
  std::unordered_map<int, memory> arguments = {{DNNL_ARG_SRC, wrap(product.a, a.data())},
                                               {DNNL_ARG_WEIGHTS, wrap(product.b, b.data())},
                                               {DNNL_ARG_DST, wrap(product.result, result.data())}};
  if (bias != nullptr) arguments.emplace(DNNL_ARG_BIAS, wrap(product.bias, bias));
  if (const std::size_t bytes = product.scratchpad.get_size(); bytes > 0) {
    arguments.emplace(DNNL_ARG_SCRATCHPAD, wrap(product.scratchpad, scratchpad_of(bytes)));
  }
  product.primitive.execute(onednn().stream, arguments);
  onednn().stream.wait();
}

std::string onednn_description() {
  const auto* version = dnnl::version();
  return fmt::format("oneDNN {}.{}.{}", version->major, version->minor, version->patch);
}

std::string instruction_set() {
  using dnnl::cpu_isa;
  switch (dnnl::get_effective_cpu_isa()) {
    case cpu_isa::sse41:
      return "SSE4.1";
    case cpu_isa::avx:
      return "AVX";
    case cpu_isa::avx2:
      return "AVX2";
    case cpu_isa::avx2_vnni:
      return "AVX2 with VNNI";
    case cpu_isa::avx512_core:
      return "AVX-512";
    case cpu_isa::avx512_core_vnni:
      return "AVX-512 with VNNI";
    case cpu_isa::avx512_core_bf16:
      return "AVX-512 with bfloat16";
    case cpu_isa::avx512_core_amx:
      return "AVX-512 with AMX";
    default:  // Of other versions of the library.
      return "another";
  }
}

#define SAE_INSTANTIATE(T, R)                                                             \
  template void onednn_multiply<T, R>(const ConstMatrixRef<T>&, Transposed,               \
                                      const ConstMatrixRef<T>&, Transposed, const float*, \
                                      MatrixRef<R>);
SAE_INSTANTIATE(float, float)
SAE_INSTANTIATE(bfloat16, bfloat16)
SAE_INSTANTIATE(bfloat16, float)
#undef SAE_INSTANTIATE

}  // namespace sae

#else

namespace sae {

bool onednn_packs(Index /*outputs*/) { return false; }

std::string onednn_description() { return {}; }

std::string instruction_set() { return Eigen::SimdInstructionSetsInUse(); }

}  // namespace sae

#endif
