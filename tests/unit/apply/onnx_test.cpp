#include "sae/apply/onnx.hpp"

#include <gtest/gtest.h>

#include <fstream>
#include <iterator>
#include <limits>
#include <map>

#include "onnx.pb.h"
#include "sae/core/error.hpp"
#include "sae/model/stacked_autoencoder.hpp"
#include "support/expect_error.hpp"
#include "support/temporary_directory.hpp"

namespace sae {
namespace {

struct OnnxFile : testing::Test {
  TemporaryDirectory folder;
  std::filesystem::path path = folder.path() / "model.onnx";
  Topology topology{.inputs = 5, .hidden = {4, 3}, .classes = 2, .visible = Visible::kGaussian};
  DataSpec data{.type = PixelType::kFloat32};

  std::string bytes() const {
    std::ifstream stream(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(stream), {}};
  }

  onnx::ModelProto write(OnnxPart part, Index layers = 2) const {
    const ParameterLayout layout(topology);
    Vector<float> parameters = Vector<float>::Zero(layout.size());
    initialize_parameters<float>(layout, 1, parameters);
    write_onnx(path, {.part = part, .layers = layers, .model = "m.h5", .version = "1.2.3"}, data,
               layout, parameters);
    onnx::ModelProto model;
    EXPECT_TRUE(model.ParseFromString(bytes()));
    return model;
  }
};

std::vector<std::string> operations(const onnx::ModelProto& model) {
  std::vector<std::string> names;
  for (const auto& node : model.graph().node()) names.push_back(node.op_type());
  return names;
}

/// Such as "samples, 5".
std::string shape_of(const onnx::ValueInfoProto& value) {
  std::string text;
  for (const auto& dim : value.type().tensor_type().shape().dim()) {
    if (!text.empty()) text += ", ";
    text += dim.dim_param().empty() ? std::to_string(dim.dim_value()) : dim.dim_param();
  }
  return text;
}

std::map<std::string, std::string> outputs(const onnx::ModelProto& model) {
  std::map<std::string, std::string> shapes;
  for (const auto& value : model.graph().output()) shapes[value.name()] = shape_of(value);
  return shapes;
}

std::map<std::string, std::string> metadata(const onnx::ModelProto& model) {
  std::map<std::string, std::string> entries;
  for (const auto& entry : model.metadata_props()) entries[entry.key()] = entry.value();
  return entries;
}

std::map<std::string, std::vector<std::int64_t>> constants(const onnx::ModelProto& model) {
  std::map<std::string, std::vector<std::int64_t>> shapes;
  for (const auto& tensor : model.graph().initializer()) {
    shapes[tensor.name()] = {tensor.dims().begin(), tensor.dims().end()};
    std::size_t size = tensor.data_type() == onnx::TensorProto::FLOAT ? 4 : 8;
    for (const auto dim : tensor.dims()) size *= static_cast<std::size_t>(dim);
    EXPECT_EQ(tensor.raw_data().size(), size) << tensor.name();
  }
  return shapes;
}

TEST_F(OnnxFile, OfAClassifierGivesLabelAndProbability) {
  const auto model = write(OnnxPart::kClassifier);
  ASSERT_EQ(model.graph().input_size(), 1);
  EXPECT_EQ(model.graph().input(0).name(), "samples");
  EXPECT_EQ(shape_of(model.graph().input(0)), "samples, 5");
  EXPECT_EQ(outputs(model), (std::map<std::string, std::string>{{"label", "samples"},
                                                                {"probability", "samples, 2"}}));
  EXPECT_EQ(model.graph().output(0).type().tensor_type().elem_type(), onnx::TensorProto::INT64);
  EXPECT_EQ(operations(model),
            (std::vector<std::string>{"Gemm", "Sigmoid", "Gemm", "Sigmoid", "Gemm", "Softmax",
                                      "ArgMax", "Identity", "Identity"}));
  EXPECT_EQ(constants(model),
            (std::map<std::string, std::vector<std::int64_t>>{{"hidden1/weights", {5, 4}},
                                                              {"hidden1/bias", {4}},
                                                              {"hidden2/weights", {4, 3}},
                                                              {"hidden2/bias", {3}},
                                                              {"output/weights", {3, 2}},
                                                              {"output/bias", {2}}}));
}

TEST_F(OnnxFile, OfAnEncoderHasTheLayersThatItNeeds) {
  const auto model = write(OnnxPart::kEncoder, 1);
  EXPECT_EQ(outputs(model), (std::map<std::string, std::string>{{"codes", "samples, 4"}}));
  EXPECT_EQ(constants(model).size(), 2u);
  EXPECT_EQ(metadata(model).at("layer"), "1");
}

TEST_F(OnnxFile, OfAnAutoencoderHasTheWeightsOnce) {
  const auto model = write(OnnxPart::kAutoencoder);
  EXPECT_EQ(outputs(model), (std::map<std::string, std::string>{{"reconstruction", "samples, 5"},
                                                                {"score", "samples"}}));
  EXPECT_EQ(constants(model).size(), 6u);
  int transposed = 0;
  for (const auto& node : model.graph().node()) {
    for (const auto& attribute : node.attribute()) {
      if (attribute.name() == "transB") transposed += attribute.i() == 1 ? 1 : 0;
    }
  }
  EXPECT_EQ(transposed, 2);
}

TEST_F(OnnxFile, TellsWhereItComesFrom) {
  data.class_names = {"no", "\"yes\""};
  data.feature_names = {"a", "b", "c", "d", "\xff"};  // The last is not UTF-8.
  const auto model = write(OnnxPart::kClassifier);
  EXPECT_EQ(model.producer_name(), "sae_dist");
  EXPECT_EQ(model.producer_version(), "1.2.3");
  EXPECT_EQ(model.ir_version(), 8);
  ASSERT_EQ(model.opset_import_size(), 1);
  EXPECT_EQ(model.opset_import(0).version(), 17);
  const auto entries = metadata(model);
  EXPECT_EQ(entries.at("class_names"), R"(["no","\"yes\""])");
  EXPECT_EQ(entries.at("feature_names"), "[\"a\",\"b\",\"c\",\"d\",\"\xef\xbf\xbd\"]");
  EXPECT_EQ(entries.at("model"), "m.h5");
  EXPECT_EQ(entries.at("topology"), "5-4-3-2");
  EXPECT_EQ(entries.at("part"), "classifier");
  EXPECT_EQ(entries.at("sae_dist_version"), "1.2.3");
}

TEST_F(OnnxFile, SaysThatBytesAreDividedBy255) {
  data.type = PixelType::kUint8;
  const auto model = write(OnnxPart::kEncoder, 1);
  EXPECT_EQ(operations(model).front(), "Div");
  EXPECT_NE(model.doc_string().find("divides by 255"), std::string::npos) << model.doc_string();
  EXPECT_EQ(model.graph().input(0).doc_string().find("Bytes, 0 to 255"), 0u);
}

TEST_F(OnnxFile, ScalesByTablesOfKnotsThatEndInInfinity) {
  constexpr float kMost = std::numeric_limits<float>::max();
  data.scaling.kind = ScalingKind::kRankGauss;
  data.scaling.values.setConstant(6, 5, kMost);
  data.scaling.normal.setZero(6, 5);
  data.scaling.values.row(0).setZero();  // Constant features but for the first.
  data.scaling.values.col(0) << 1, 2, 3, 4, 5, kMost;
  data.scaling.normal.col(0) << -2, -1, 0, 1, 2, 2;
  const auto model = write(OnnxPart::kAutoencoder);
  // 4 intervals: a search of 2 steps, there and back.
  const auto found = operations(model);
  EXPECT_EQ(std::ranges::count(found, "Where"), 4);
  EXPECT_EQ(constants(model).at("scaling/scaled/from"), std::vector<std::int64_t>{25});
  EXPECT_EQ(constants(model).at("unscaling/unscaled/to"), std::vector<std::int64_t>{25});
  for (const auto& tensor : model.graph().initializer()) {
    if (tensor.name() != "scaling/scaled/from") continue;
    std::vector<float> values(25);
    tensor.raw_data().copy(reinterpret_cast<char*>(values.data()), 100);
    EXPECT_EQ(std::vector(values.begin(), values.begin() + 6),
              (std::vector<float>{1, 2, 3, 4, 5, 0}));
    EXPECT_EQ(std::ranges::count(values, std::numeric_limits<float>::infinity()), 16);
  }
}

TEST_F(OnnxFile, OfTheSameInputHasTheSameBytes) {
  write(OnnxPart::kAutoencoder);
  const std::string first = bytes();
  write(OnnxPart::kAutoencoder);
  EXPECT_EQ(bytes(), first);
}

TEST_F(OnnxFile, OfMoreThan2GiBIsRefusedBeforeItIsPutTogether) {
  const ParameterLayout layout({.inputs = 30000, .hidden = {20000}});
  expect_error<DataError>(
      [&] {
        write_onnx(path, {.part = OnnxPart::kEncoder, .layers = 1}, data, layout, Vector<float>());
      },
      {"model.onnx", "2 GiB", "MB"});
  EXPECT_FALSE(std::filesystem::exists(path));
}

TEST_F(OnnxFile, ThatCannotBeWrittenIsAnError) {
  path = folder.path() / "missing" / "model.onnx";
  expect_error<OutputError>([&] { write(OnnxPart::kEncoder); }, {"model.onnx"});
}

}  // namespace
}  // namespace sae
