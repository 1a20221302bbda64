#include "sae/train/code_cache.hpp"

#include <gtest/gtest.h>

#include "sae/comm/self_communicator.hpp"
#include "sae/config/settings.hpp"
#include "sae/core/host.hpp"
#include "sae/model/stacked_autoencoder.hpp"
#include "support/tiny_training.hpp"

namespace sae {
namespace {

struct CodeCache : testing::Test {
  SelfCommunicator comm;
  Configuration configuration = tiny_configuration("", "");
  static constexpr Index kSamples = 86;

  CodeCaching decide(std::optional<bool> as_begun = {}, Index samples = kSamples) {
    const Configuration begun = with(as_begun.value_or(false));
    return decide_code_caching(configuration, samples, as_begun ? &begun : nullptr, comm);
  }
  static Configuration with(bool codes_kept) {
    return recorded_configuration(codes_kept ? "cache-codes=on\n" : "cache-codes=off\n");
  }
};

TEST_F(CodeCache, IsUsedWhereItFitsIntoAQuarterOfTheMemory) {
  EXPECT_GT(available_memory(), double{1 << 20});
  EXPECT_TRUE(decide().used);
  const auto bytes_of_one = static_cast<Index>(bytes_of_codes(configuration, 1));
  EXPECT_EQ(bytes_of_one, 12 * 4 + 2);
  const CodeCaching too_many = decide({}, static_cast<Index>(available_memory()) / bytes_of_one);
  EXPECT_FALSE(too_many.used);
  EXPECT_NE(too_many.description.find("quarter of the memory"), std::string::npos);
}

TEST_F(CodeCache, IsUsedAsAsked) {
  configuration.cache_codes = CacheCodes::kOff;
  EXPECT_FALSE(decide(true).used);
  configuration.cache_codes = CacheCodes::kOn;
  EXPECT_TRUE(decide(false, Index{1} << 40).used);
}

TEST_F(CodeCache, GoesOnAsTheRunBegan) {
  EXPECT_FALSE(decide(false).used);
  EXPECT_TRUE(decide(true, Index{1} << 40).used);
  // A run from before codes could be kept.
  const Configuration before = recorded_configuration("seed=7\n");
  EXPECT_FALSE(decide_code_caching(configuration, kSamples, &before, comm).used);
}

TEST_F(CodeCache, IsNotUsedWhereCodesChangeOrAreNotNeeded) {
  Configuration image = configuration;
  image.corruption_at = CorruptionAt::kImage;
  Configuration reproducible = configuration;
  reproducible.reproducible = true;
  Configuration one_layer = configuration;
  one_layer.layers.pop_back();
  for (const Configuration& other : {image, reproducible, one_layer}) {
    const Configuration begun = with(true);
    EXPECT_FALSE(decide_code_caching(other, kSamples, &begun, comm).used);
  }
}

TEST_F(CodeCache, ServesPretrainingOfLayersAboveTheFirst) {
  const ParameterLayout layout(Topology{.inputs = 30, .hidden = {12, 9}, .classes = 3});
  const auto stages = plan_stages(configuration, layout);
  const CodeCaching codes{.used = true, .description = {}};
  EXPECT_EQ(codes.layers_kept(stages[0]), 0);
  EXPECT_EQ(codes.layers_kept(stages[1]), 1);
  EXPECT_EQ(codes.layers_kept(stages[2]), 0);
  EXPECT_EQ((CodeCaching{}).layers_kept(stages[1]), 0);
}

TEST_F(CodeCache, HoldsTheCodesAndLabelsOfTheShard) {
  const ParameterLayout layout(Topology{.inputs = 3, .hidden = {5, 4, 2}, .classes = 3});
  Vector<float> parameters;
  initialize_parameters(layout, 1, parameters);
  Vector<bfloat16> rounded = parameters.cast<bfloat16>();
  const ParametersRef<float> both(span_of(parameters), span_of(rounded));
  Shard shard({.features = 3, .pixel_type = PixelType::kUint8}, 2000, {100, 1301});
  for (std::size_t i = 0; i < shard.size_bytes(); ++i) {
    shard.records(shard.samples())[i] = static_cast<std::byte>(i * 37);
  }
  for (const auto precision : {Precision::kFloat32, Precision::kBfloat16}) {
    // bfloat16 has 8 bits of precision; the codes of the first layer are rounded, too.
    const double tolerance = precision == Precision::kFloat32 ? 1e-6 : 0.05;
    const Shard codes = encode_shard(layout, 2, both, precision, shard, nullptr);
    EXPECT_EQ(codes.set_size(), 2000);
    EXPECT_EQ(codes.samples(), shard.samples());
    EXPECT_EQ(codes.format().encoded_layers, 2);
    EXPECT_EQ(codes.format().bytes(), precision == Precision::kFloat32 ? 18u : 10u);
    for (const Index sample : {Index{100}, Index{599}, Index{600}, Index{1300}}) {
      Matrix<float> pixels(3, 1);
      decode_pixels(shard.format(), shard.record(sample), {pixels.data(), 3});
      const Matrix<float> expected = encode<float>(layout, {0, 2}, both, pixels);
      Vector<float> got(4);
      decode_pixels(codes.format(), codes.record(sample), span_of(got));
      EXPECT_LT((got - expected).cwiseAbs().maxCoeff(), tolerance) << sample;
      EXPECT_EQ(decode_label(codes.format(), codes.record(sample)),
                decode_label(shard.format(), shard.record(sample)));
    }
  }
}

}  // namespace
}  // namespace sae
