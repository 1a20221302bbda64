#include "sae/apply/onnx.hpp"

#include <fmt/format.h>

#include <cassert>
#include <cerrno>
#include <cstdint>
#include <fstream>
#include <limits>
#include <nlohmann/json.hpp>
#include <stdexcept>
#include <system_error>

#include "onnx_graph.hpp"
#include "onnx_scaling.hpp"
#include "sae/core/error.hpp"
#include "sae/core/text.hpp"
#include "sae/storage/output_file.hpp"

namespace sae {
namespace {

/// Protobuf's, of a whole message.
constexpr auto kMostBytes = static_cast<std::size_t>(std::numeric_limits<std::int32_t>::max());

/// As JSON; what is not UTF-8 is replaced, for protobuf takes nothing else.
std::string json_text(const nlohmann::ordered_json& value) {
  return value.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace);
}

std::string utf8_text(const std::string& text) {
  return nlohmann::ordered_json::parse(json_text(text)).get<std::string>();
}

void check_onnx_size(const std::filesystem::path& path, std::size_t bytes) {
  if (bytes <= kMostBytes) return;
  throw DataError(
      fmt::format("The model does not fit into {}: an ONNX file has at most 2 GiB, and this one "
                  "would have {}.",
                  path.string(), megabytes(static_cast<double>(bytes))));
}

/// The network as nodes. Weights of shape (outputs, inputs), column by column, are for ONNX
/// (inputs, outputs), row by row.
class OnnxNetwork {
 public:
  OnnxNetwork(OnnxGraph& graph, const ParameterLayout& layout,
              const ParametersRef<float>& parameters)
      : graph_(graph), layout_(layout), parameters_(parameters) {}

  /// The codes of the first `layers` hidden layers.
  OnnxValue encode(Index layers, OnnxValue x) {
    for (Index layer = 0; layer < layers; ++layer) {
      // What a layer has besides needs nodes as well: a further field does not compile here.
      const auto& [units, activation] = layout_.topology().layer(layer);
      const LayerViews& views = layout_.hidden(layer);
      const std::string name = fmt::format("hidden{}", layer + 1);
      const OnnxValue logits = logits_of(x, views, name + "/logits");
      x = activate(activation, logits, name + "/codes");
    }
    return x;
  }

  /// The reconstruction from codes of the first `layers` hidden layers.
  OnnxValue decode(Index layers, OnnxValue codes) {
    for (Index layer = layers - 1; layer >= 0; --layer) {
      const LayerViews& views = layout_.hidden(layer);
      const std::string name = fmt::format("decoder{}", layer + 1);
      const OnnxValue logits = decoder_logits(codes, views, name + "/logits");
      codes = visible_values(views.visible, logits, name + "/values");
    }
    return codes;
  }

  /// Of the output layer.
  OnnxValue logits(const OnnxValue& codes) {
    return logits_of(codes, layout_.output(), "output/logits");
  }

 private:
  OnnxValue activate(Activation activation, const OnnxValue& a, const std::string& name) {
    switch (activation) {
      case Activation::kSigmoid:
        return graph_.add_node("Sigmoid", {a}, name);
      case Activation::kTanh:
        return graph_.add_node("Tanh", {a}, name);
      case Activation::kRelu:
        return graph_.add_node("Relu", {a}, name);
      case Activation::kGelu:
        return gelu(a, name);
    }
    throw std::logic_error("no such activation");
  }

  /// See Activation::kGelu. ONNX has a node for it only since its operator set 20.
  OnnxValue gelu(const OnnxValue& a, const std::string& name) {
    const auto number = [&](const std::string& what, float value) {
      return graph_.add_constant(name + "/" + what, value);
    };
    const auto node = [&](const std::string& op, const std::vector<OnnxValue>& inputs,
                          const std::string& what) {
      return graph_.add_node(op, inputs, name + "/" + what);
    };
    const OnnxValue square = node("Mul", {a, a}, "square");
    const OnnxValue scaled = node("Mul", {square, number("cubic", 0.044715F)}, "scaled");
    const OnnxValue inner = node("Add", {scaled, number("one", 1)}, "inner");
    const OnnxValue root = node("Mul", {a, number("root", 0.797884561F)}, "root_times_input");
    const OnnxValue tanh = node("Tanh", {node("Mul", {root, inner}, "argument")}, "tanh");
    const OnnxValue half = node("Mul", {a, number("half", 0.5F)}, "half_input");
    const OnnxValue share = node("Add", {tanh, number("one_more", 1)}, "share");
    return graph_.add_node("Mul", {half, share}, name);
  }

  OnnxValue logits_of(const OnnxValue& x, const LayerViews& views, const std::string& name) {
    switch (views.normalization) {
      case Normalization::kNone:
        return product(x, views.weights, {}, views.bias, name);
      case Normalization::kLayer:
        return graph_.add_node(
            "LayerNormalization",
            {graph_.add_node("MatMul", {x, constant(views.weights)}, name + "/product"),
             gain_of(views), constant(views.bias)},
            name);
      case Normalization::kBatch:
        break;  // A finished model has none.
    }
    throw std::logic_error("no such normalisation of a finished model");
  }

  OnnxValue gain_of(const LayerViews& views) {
    if (views.gain.size() > 0) return constant(views.gain);
    const std::vector<float> ones(static_cast<std::size_t>(views.bias.rows), 1.0f);
    return graph_.add_constant(views.bias.name + "/gain", {views.bias.rows}, ones);
  }

  OnnxValue visible_values(Visible visible, const OnnxValue& a, const std::string& name) {
    switch (visible) {
      case Visible::kBernoulli:
        return graph_.add_node("Sigmoid", {a}, name);
      case Visible::kGaussian:
        return a;
    }
    throw std::logic_error("no such kind of visible units");
  }

  OnnxValue decoder_logits(const OnnxValue& codes, const LayerViews& views,
                           const std::string& name) {
    switch (layout_.topology().decoder) {
      case Decoder::kTied:
        return product(codes, views.weights, {{"transB", 1}}, views.visible_bias, name);
      case Decoder::kFree:
      case Decoder::kNone:
        break;
    }
    throw std::logic_error("no such decoder");
  }

  OnnxValue product(const OnnxValue& x, const ParameterView& weights,
                    const std::vector<OnnxAttribute>& attributes, const ParameterView& bias,
                    const std::string& name) {
    return graph_.add_node("Gemm", {x, constant(weights), constant(bias)}, name, attributes);
  }

  /// The decoder has the weights of the encoder, which is there by then.
  OnnxValue constant(const ParameterView& view) {
    for (const auto& known : graph_.model().graph().initializer()) {
      if (known.name() == view.name) return view.name;
    }
    const auto values = parameters_.values.subspan(static_cast<std::size_t>(view.offset),
                                                   static_cast<std::size_t>(view.size()));
    if (!view.is_weights) return graph_.add_constant(view.name, {view.rows}, values);
    return graph_.add_constant(view.name, {view.cols, view.rows}, values);
  }

  OnnxGraph& graph_;
  const ParameterLayout& layout_;
  ParametersRef<float> parameters_;
};

void add_predictions(OnnxGraph& graph, const OnnxValue& logits, Index classes) {
  const OnnxValue probability =
      graph.add_node("Softmax", {logits}, "output/softmax", {{"axis", 1}});
  const OnnxValue label =
      graph.add_node("ArgMax", {logits}, "output/argmax", {{"axis", 1}, {"keepdims", 0}});
  graph.add_output("label", label, onnx::TensorProto::INT64, 0, "The most probable class.");
  graph.add_output("probability", probability, onnx::TensorProto::FLOAT, classes, "Of each class.");
}

/// `inputs` and `values`, their reconstruction, are scaled.
void add_reconstruction(OnnxGraph& graph, const DataSpec& data, const OnnxValue& inputs,
                        const OnnxValue& values, Index features) {
  graph.add_output("reconstruction", add_unscaling(graph, data, values), onnx::TensorProto::FLOAT,
                   features,
                   "The samples, encoded and decoded again, in the units of the samples.");
  const OnnxValue error = graph.add_node("Sub", {values, inputs}, "score/error");
  const OnnxValue square = graph.add_node("Mul", {error, error}, "score/square");
  const OnnxValue mean = graph.add_node("ReduceMean", {square}, "score/mean",
                                        {{"axes", std::vector<std::int64_t>{1}}, {"keepdims", 0}});
  graph.add_output("score", mean, onnx::TensorProto::FLOAT, 0,
                   "The mean squared error of the scaled inputs.");
}

std::string onnx_input_description(const DataSpec& data) {
  std::string text = data.type == PixelType::kUint8
                         ? "Bytes, 0 to 255, as float32, which the model divides by 255."
                         : "Values as they are in the data set.";
  if (data.scaling.is_used()) {
    text += fmt::format(" The model scales them: {}.", name_of(data.scaling.kind, scaling_kinds()));
  }
  return text;
}

void add_onnx_metadata(onnx::ModelProto& model, const OnnxSettings& settings, const DataSpec& data,
                       const Topology& topology) {
  const auto add = [&model](const std::string& key, const std::string& value) {
    auto& entry = *model.add_metadata_props();
    entry.set_key(key);
    entry.set_value(value);
  };
  model.set_producer_name("sae_dist");
  model.set_producer_version(settings.version);
  add("sae_dist_version", settings.version);
  add("model", utf8_text(settings.model));
  add("topology", to_string(topology));
  add("part", name_of(settings.part, onnx_parts()));
  if (settings.part != OnnxPart::kClassifier) add("layer", fmt::format("{}", settings.layers));
  if (!data.class_names.empty()) add("class_names", json_text(data.class_names));
  if (!data.feature_names.empty()) add("feature_names", json_text(data.feature_names));
}

/// Bytes of the arrays that the part needs; the rest is little.
std::size_t onnx_array_bytes(const OnnxSettings& settings, const ParameterLayout& layout) {
  Index elements = 0;
  for (Index layer = 0; layer < settings.layers; ++layer) {
    const LayerViews& views = layout.hidden(layer);
    elements += views.weights.size() + views.bias.size() + views.visible_bias.size();
  }
  if (settings.part == OnnxPart::kClassifier) {
    elements += layout.output().weights.size() + layout.output().bias.size();
  }
  return static_cast<std::size_t>(elements) * sizeof(float);
}

}  // namespace

const Choices<OnnxPart>& onnx_parts() {
  static const Choices<OnnxPart> parts = {{"classifier", OnnxPart::kClassifier},
                                          {"encoder", OnnxPart::kEncoder},
                                          {"autoencoder", OnnxPart::kAutoencoder}};
  return parts;
}

void write_onnx(const std::filesystem::path& path, const OnnxSettings& settings,
                const DataSpec& data, const ParameterLayout& layout,
                const ParametersRef<float>& parameters) {
  const Topology& topology = layout.topology();
  assert(1 <= settings.layers && settings.layers <= topology.hidden_layers());
  // Before it is put together in memory.
  check_onnx_size(path, onnx_array_bytes(settings, layout));
  OnnxGraph graph("sae_dist");
  OnnxNetwork network(graph, layout, parameters);
  const OnnxValue samples =
      graph.add_input("samples", topology.inputs, onnx_input_description(data));
  const OnnxValue inputs = add_scaling(graph, data, samples);
  const OnnxValue codes = network.encode(settings.layers, inputs);
  switch (settings.part) {
    case OnnxPart::kClassifier:
      add_predictions(graph, network.logits(codes), topology.classes);
      break;
    case OnnxPart::kEncoder:
      graph.add_output("codes", codes, onnx::TensorProto::FLOAT,
                       topology.inputs_of(settings.layers),
                       fmt::format("Of hidden layer {}.", settings.layers));
      break;
    case OnnxPart::kAutoencoder:
      add_reconstruction(graph, data, inputs, network.decode(settings.layers, codes),
                         topology.inputs);
      break;
  }
  onnx::ModelProto& model = graph.model();
  add_onnx_metadata(model, settings, data, topology);
  model.set_doc_string(fmt::format("The {} of an autoencoder {}. Input: {}",
                                   name_of(settings.part, onnx_parts()), to_string(topology),
                                   onnx_input_description(data)));
  check_onnx_size(path, model.ByteSizeLong());

  OutputFile file(path);
  std::ofstream stream(file.temporary_path(), std::ios::binary);
  const bool written = model.SerializeToOstream(&stream);
  stream.close();
  if (!written || !stream) {
    throw OutputError(fmt::format("Cannot write '{}': {}.", path.string(),
                                  std::system_category().message(errno)));
  }
  file.commit();
}

}  // namespace sae
