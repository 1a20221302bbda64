#include <fmt/format.h>

#include "commands.hpp"
#include "model_input.hpp"
#include "outputs.hpp"
#include "sae/core/text.hpp"
#include "version.hpp"

namespace sae {
namespace {

/// Throws: UsageError if the model has no such part or layer.
OnnxSettings onnx_settings(const ExportOptions& options, const Topology& topology) {
  const std::string model = options.model.string();
  const bool has_classes = topology.classes > 0;
  OnnxSettings settings;
  settings.part =
      options.part.value_or(has_classes ? OnnxPart::kClassifier : OnnxPart::kAutoencoder);
  if (settings.part == OnnxPart::kClassifier) {
    if (!has_classes) {
      throw UsageError(
          fmt::format("The model {} is an autoencoder without classes, and no classifier; its "
                      "--part is encoder or autoencoder.",
                      model));
    }
    if (options.layer > 0) {
      throw UsageError(fmt::format(
          "--layer {} does not go with the classifier, which takes all hidden layers of {}; it "
          "goes with --part encoder and --part autoencoder.",
          options.layer, model));
    }
  }
  if (settings.part == OnnxPart::kAutoencoder) check_decoder(options.model, topology);
  check_layer(options.model, options.layer, topology);
  settings.layers = options.layer > 0 ? options.layer : topology.hidden_layers();
  settings.model = model;
  settings.version = kVersion;
  return settings;
}

}  // namespace

void run_export(const ExportOptions& options, Communicator& comm) {
  if (comm.is_root()) {
    const Checkpoint checkpoint = load_checkpoint(options.model);
    const OnnxSettings settings = onnx_settings(options, checkpoint.topology);
    check_output(options.onnx, {options.model}, options.force);
    if (settings.part == OnnxPart::kClassifier) {
      ModelInput input;
      input.model = options.model;
      warn_if_untrained(input, checkpoint);
    }
    write_onnx(options.onnx, settings, checkpoint.data, ParameterLayout(checkpoint.topology),
               checkpoint.parameters);
    if (!options.quiet) {
      fmt::print("wrote {}: the {} of {}, {}, {}\n", options.onnx.string(),
                 name_of(settings.part, onnx_parts()), options.model.string(),
                 to_string(checkpoint.topology),
                 megabytes(static_cast<double>(std::filesystem::file_size(options.onnx))));
    }
  }
  comm.barrier();
}

}  // namespace sae
