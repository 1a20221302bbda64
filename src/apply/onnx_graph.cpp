#include "onnx_graph.hpp"

#include <bit>

namespace sae {
namespace {

void describe(onnx::ValueInfoProto& info, const std::string& name, onnx::TensorProto::DataType type,
              Index columns, const std::string& description) {
  info.set_name(name);
  info.set_doc_string(description);
  auto& tensor = *info.mutable_type()->mutable_tensor_type();
  tensor.set_elem_type(type);
  tensor.mutable_shape()->add_dim()->set_dim_param("samples");
  if (columns > 0) tensor.mutable_shape()->add_dim()->set_dim_value(columns);
}

}  // namespace

OnnxGraph::OnnxGraph(const std::string& name) : graph_(*model_.mutable_graph()) {
  model_.set_ir_version(kIrVersion);
  model_.add_opset_import()->set_version(kOperatorSet);
  graph_.set_name(name);
}

OnnxValue OnnxGraph::add_input(const std::string& name, Index columns,
                               const std::string& description) {
  describe(*graph_.add_input(), name, onnx::TensorProto::FLOAT, columns, description);
  return name;
}

onnx::TensorProto& OnnxGraph::new_constant(const std::string& name, const std::vector<Index>& shape,
                                           onnx::TensorProto::DataType type,
                                           std::span<const std::byte> bytes) {
  static_assert(std::endian::native == std::endian::little);
  onnx::TensorProto& tensor = *graph_.add_initializer();
  tensor.set_name(name);
  tensor.set_data_type(type);
  for (const Index size : shape) tensor.add_dims(size);
  tensor.set_raw_data(bytes.data(), bytes.size());
  return tensor;
}

OnnxValue OnnxGraph::add_constant(const std::string& name, const std::vector<Index>& shape,
                                  std::span<const float> values) {
  return new_constant(name, shape, onnx::TensorProto::FLOAT, std::as_bytes(values)).name();
}

OnnxValue OnnxGraph::add_constant(const std::string& name, const std::vector<Index>& shape,
                                  std::span<const std::int64_t> values) {
  return new_constant(name, shape, onnx::TensorProto::INT64, std::as_bytes(values)).name();
}

OnnxValue OnnxGraph::add_constant(const std::string& name, float scalar) {
  return add_constant(name, {}, std::span<const float>(&scalar, 1));
}

OnnxValue OnnxGraph::add_node(const std::string& operation, const std::vector<OnnxValue>& inputs,
                              const std::string& name,
                              const std::vector<OnnxAttribute>& attributes) {
  onnx::NodeProto& node = *graph_.add_node();
  node.set_op_type(operation);
  node.set_name(name);
  for (const OnnxValue& input : inputs) node.add_input(input);
  node.add_output(name);
  for (const OnnxAttribute& given : attributes) {
    onnx::AttributeProto& attribute = *node.add_attribute();
    attribute.set_name(given.name);
    if (const auto* integer = std::get_if<std::int64_t>(&given.value)) {
      attribute.set_type(onnx::AttributeProto::INT);
      attribute.set_i(*integer);
    } else {
      attribute.set_type(onnx::AttributeProto::INTS);
      for (const auto value : std::get<std::vector<std::int64_t>>(given.value)) {
        attribute.add_ints(value);
      }
    }
  }
  return name;
}

void OnnxGraph::add_output(const std::string& name, const OnnxValue& value,
                           onnx::TensorProto::DataType type, Index columns,
                           const std::string& description) {
  add_node("Identity", {value}, name);
  describe(*graph_.add_output(), name, type, columns, description);
}

}  // namespace sae
