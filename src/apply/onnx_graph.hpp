#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <variant>
#include <vector>

#include "onnx.pb.h"
#include "sae/core/types.hpp"

namespace sae {

/// The name of a tensor of an ONNX graph.
using OnnxValue = std::string;

struct OnnxAttribute {
  std::string name;
  std::variant<std::int64_t, std::vector<std::int64_t>> value;
};

/// An ONNX model that grows node by node. A node is named after the one value that it gives; names
/// are unique.
class OnnxGraph {
 public:
  static constexpr int kIrVersion = 8;
  static constexpr int kOperatorSet = 17;

  explicit OnnxGraph(const std::string& name);

  /// Float32 (samples, columns), for any number of samples.
  OnnxValue add_input(const std::string& name, Index columns, const std::string& description);

  /// Constants, the last dimension fastest.
  OnnxValue add_constant(const std::string& name, const std::vector<Index>& shape,
                         std::span<const float> values);
  OnnxValue add_constant(const std::string& name, const std::vector<Index>& shape,
                         std::span<const std::int64_t> values);
  OnnxValue add_constant(const std::string& name, float scalar);

  OnnxValue add_node(const std::string& operation, const std::vector<OnnxValue>& inputs,
                     const std::string& name, const std::vector<OnnxAttribute>& attributes = {});

  /// Gives out a value of shape (samples, columns); (samples) if there are no columns.
  void add_output(const std::string& name, const OnnxValue& value, onnx::TensorProto::DataType type,
                  Index columns, const std::string& description);

  onnx::ModelProto& model() { return model_; }

 private:
  onnx::TensorProto& new_constant(const std::string& name, const std::vector<Index>& shape,
                                  onnx::TensorProto::DataType type,
                                  std::span<const std::byte> bytes);

  onnx::ModelProto model_;
  onnx::GraphProto& graph_;
};

}  // namespace sae
