#include "stage_graph.hpp"

#include <fmt/format.h>

#include <cctype>
#include <initializer_list>
#include <string>
#include <vector>

#include "sae/train/stage.hpp"
#include "tensorboard.pb.h"

namespace sae {
namespace {

constexpr Index kAny = -1;

/// The name of an operation: that of the setting, with a capital.
template <typename Kind>
std::string op_of(Kind kind, const Choices<Kind>& kinds) {
  std::string name = name_of(kind, kinds);
  name[0] = static_cast<char>(std::toupper(name[0]));
  return name;
}

/// Adds nodes; each call returns the name of the node that holds its result.
class GraphBuilder {
 public:
  GraphBuilder(const Topology& topology, bool tied) : topology_(topology), tied_(tied) {}

  std::string add(const std::string& name, const std::string& op,
                  const std::vector<std::string>& inputs, std::initializer_list<Index> shape) {
    tensorboard::NodeDef& node = *graph_.add_node();
    node.set_name(name);
    node.set_op(op);
    for (const std::string& input : inputs) node.add_input(input);
    auto& attributes = *node.mutable_attr();
    attributes["dtype"].set_type(tensorboard::DT_FLOAT);
    auto& shape_of_output = *attributes["_output_shapes"].mutable_list()->add_shape();
    for (const Index size : shape) shape_of_output.add_dim()->set_size(size);
    return name;
  }

  tensorboard::Attribute& attribute(const std::string& name) {
    auto& last = *graph_.mutable_node(graph_.node_size() - 1);
    return (*last.mutable_attr())[name];
  }

  /// The parameters of a layer, counted from 0; that of the output if it is hidden_layers().
  void add_layer(const std::string& scope, Index layer) {
    const bool frozen = scope.starts_with("frozen");
    const std::string op = frozen ? "Const" : "VariableV2";
    add(scope + "/weights", op, {}, {topology_.inputs_of(layer), units(layer)});
    add(scope + "/bias", op, {}, {units(layer)});
    if (tied_ && !frozen) add(scope + "/visible_bias", op, {}, {topology_.inputs_of(layer)});
  }

  /// x times weights plus bias. The nodes are in `scope`/`part`, the parameters in `scope`.
  std::string affine(const std::string& scope, const std::string& part, Index layer,
                     const std::string& x) {
    const Index to = units(layer);
    const std::string name = scope + "/" + part;
    const auto product = add(name + "/product", "MatMul", {x, scope + "/weights"}, {kAny, to});
    return add(name + "/sum", "BiasAdd", {product, scope + "/bias"}, {kAny, to});
  }

  std::string encode(const std::string& scope, const std::string& part, Index layer,
                     const std::string& x) {
    const auto logits = affine(scope, part, layer, x);
    return add(scope + "/" + part + "/codes",
               op_of(topology_.layer(layer).activation, activation_kinds()), {logits},
               {kAny, units(layer)});
  }

  std::string corrupt(const std::string& x, Index size, const Noise& noise) {
    std::string name = add(name_of(noise.kind) + "_noise/corrupted",
                           op_of(noise.kind, noise_kinds()) + "Noise", {x}, {kAny, size});
    attribute("level").set_f(static_cast<float>(noise.level));
    return name;
  }

  Index units(Index layer) const {
    return layer == topology_.hidden_layers() ? topology_.classes : topology_.layer(layer).units;
  }

  tensorboard::GraphDef take() { return std::move(graph_); }

 private:
  const Topology& topology_;
  bool tied_;
  tensorboard::GraphDef graph_;
};

std::string scope_of(const char* kind, Index layer) {
  return fmt::format("{}/hidden{}", kind, layer + 1);
}

/// The update that a loss leads to.
void add_update(GraphBuilder& graph, const Configuration& configuration, const std::string& loss,
                std::vector<std::string> parameters) {
  parameters.insert(parameters.begin(), loss);
  graph.add("update", op_of(configuration.optimizer, optimizer_kinds()), parameters, {});
}

/// The decoder of a layer, with the transposed weights of its encoder; returns the logits.
std::string add_decoder(GraphBuilder& graph, const Topology& topology, const std::string& scope,
                        Index layer, const std::string& codes) {
  const Index visible = topology.inputs_of(layer);
  const auto product =
      graph.add(scope + "/decoder/product", "MatMul", {codes, scope + "/weights"}, {kAny, visible});
  graph.attribute("transpose_b").set_b(true);
  return graph.add(scope + "/decoder/sum", "BiasAdd", {product, scope + "/visible_bias"},
                   {kAny, visible});
}

/// The mean loss of a reconstruction from these logits.
std::string add_reconstruction(GraphBuilder& graph, const std::string& scope, Visible kind,
                               Index visible, const std::string& logits, const std::string& clean) {
  const std::string name = op_of(kind, visible_kinds());
  graph.add(scope + "/decoder/reconstruction", name, {logits}, {kAny, visible});
  const auto entropy =
      graph.add("loss/reconstruction", name + "Loss", {logits, clean}, {kAny, visible});
  const auto sum = graph.add("loss/sum_over_units", "Sum", {entropy}, {kAny});
  return graph.add("loss/mean_over_samples", "Mean", {sum}, {});
}

tensorboard::GraphDef pretraining_graph(const Configuration& configuration,
                                        const Topology& topology, Index trained) {
  GraphBuilder graph(topology, true);
  const Noise noise = denoising_settings(configuration, trained).noise;
  const bool at_image = configuration.corruption_at == CorruptionAt::kImage;
  std::string clean = graph.add("inputs", "Placeholder", {}, {kAny, topology.inputs});
  std::string corrupted = at_image ? graph.corrupt(clean, topology.inputs, noise) : clean;
  for (Index layer = 0; layer < trained; ++layer) {
    const std::string scope = scope_of("frozen", layer);
    graph.add_layer(scope, layer);
    clean = graph.encode(scope, "clean", layer, clean);
    corrupted = at_image ? graph.encode(scope, "corrupted", layer, corrupted) : clean;
  }
  const Index visible = topology.inputs_of(trained);
  if (!at_image) corrupted = graph.corrupt(clean, visible, noise);

  const std::string scope = scope_of("trained", trained);
  graph.add_layer(scope, trained);
  const auto codes = graph.encode(scope, "encoder", trained, corrupted);
  const auto logits = add_decoder(graph, topology, scope, trained, codes);
  const auto loss =
      add_reconstruction(graph, scope, topology.visible_of(trained), visible, logits, clean);
  add_update(graph, configuration, loss,
             {scope + "/weights", scope + "/bias", scope + "/visible_bias"});
  return graph.take();
}

tensorboard::GraphDef autoencoder_graph(const Configuration& configuration,
                                        const Topology& topology) {
  GraphBuilder graph(topology, true);
  const std::string clean = graph.add("inputs", "Placeholder", {}, {kAny, topology.inputs});
  std::string x = clean;
  std::vector<std::string> parameters;
  for (Index layer = 0; layer < topology.hidden_layers(); ++layer) {
    const std::string scope = scope_of("trained", layer);
    graph.add_layer(scope, layer);
    for (const char* name : {"/weights", "/bias", "/visible_bias"}) {
      parameters.push_back(scope + name);
    }
    x = graph.encode(scope, "encoder", layer, x);
  }
  std::string logits;
  for (Index layer = topology.hidden_layers() - 1; layer >= 0; --layer) {
    const std::string scope = scope_of("trained", layer);
    logits = add_decoder(graph, topology, scope, layer, x);
    if (layer == 0) break;
    x = graph.add(scope + "/decoder/reconstruction",
                  op_of(topology.visible_of(layer), visible_kinds()), {logits},
                  {kAny, topology.inputs_of(layer)});
  }
  const auto loss = add_reconstruction(graph, scope_of("trained", 0), topology.visible,
                                       topology.inputs, logits, clean);
  add_update(graph, configuration, loss, std::move(parameters));
  return graph.take();
}

tensorboard::GraphDef classifier_graph(const Configuration& configuration,
                                       const Topology& topology) {
  GraphBuilder graph(topology, false);
  std::string x = graph.add("inputs", "Placeholder", {}, {kAny, topology.inputs});
  const auto labels = graph.add("labels", "Placeholder", {}, {kAny});
  std::vector<std::string> parameters;
  const auto add_layer = [&](const std::string& scope, Index layer) {
    graph.add_layer(scope, layer);
    parameters.push_back(scope + "/weights");
    parameters.push_back(scope + "/bias");
  };
  for (Index layer = 0; layer < topology.hidden_layers(); ++layer) {
    const std::string scope = scope_of("trained", layer);
    add_layer(scope, layer);
    x = graph.encode(scope, "encoder", layer, x);
  }
  const Index output = topology.hidden_layers();
  add_layer("trained/output", output);
  const auto logits = graph.affine("trained/output", "logits", output, x);
  graph.add("trained/output/probabilities", "Softmax", {logits}, {kAny, topology.classes});
  const auto entropy = graph.add("loss/cross_entropy", "SparseSoftmaxCrossEntropyWithLogits",
                                 {logits, labels}, {kAny});
  const auto loss = graph.add("loss/mean_over_samples", "Mean", {entropy}, {});
  add_update(graph, configuration, loss, std::move(parameters));
  return graph.take();
}

}  // namespace

tensorboard::GraphDef stage_graph(const Configuration& configuration, const Topology& topology,
                                  std::size_t stage) {
  if (stage == topology.hidden.size()) {
    const bool classifies = topology.classes > 0;
    return (classifies ? classifier_graph : autoencoder_graph)(configuration, topology);
  }
  return pretraining_graph(configuration, topology, static_cast<Index>(stage));
}

}  // namespace sae
