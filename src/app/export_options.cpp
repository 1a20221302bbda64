#include "help.hpp"
#include "options.hpp"
#include "parsing.hpp"
#include "sae/config/values.hpp"

namespace po = boost::program_options;

namespace sae {
namespace {

std::string part_names() {
  std::string names;
  for (const auto& part : onnx_parts()) names += (names.empty() ? "" : "|") + part.name;
  return names;
}

}  // namespace

Command parse_export_options(const std::vector<std::string>& arguments) {
  po::options_description options("Options");
  const auto text = [](const std::string& unit) {
    return po::value<std::string>()->default_value("")->value_name(unit);
  };
  options.add_options()("model", text("FILE"), "model.h5, best.h5 or a checkpoint")(
      "onnx", text("FILE"), "the file to write")(
      "part", text(part_names()),
      "what it gives: label and probability; codes; reconstruction and score. Else the classifier, "
      "or the autoencoder of a model without classes")(
      "layer", po::value<Index>()->default_value(0)->value_name("N"),
      "hidden layer whose codes to give, or up to which to encode, counted from 1; 0: the last")(
      "force", po::bool_switch(), "replace a file even if it is a model or a data set")(
      "quiet", po::bool_switch(), "print nothing but errors and warnings")("help,h", "this text");
  if (asks_for_help(arguments)) {
    return ShowText{help_of("sae_dist export MODEL --onnx FILE [options]",
                            "Writes the model, with the scaling of its inputs, as an ONNX file for "
                            "other programs.",
                            options)};
  }
  const auto values =
      parse_arguments(arguments, options, po::positional_options_description().add("model", 1));
  ExportOptions result;
  result.model = values["model"].as<std::string>();
  result.onnx = values["onnx"].as<std::string>();
  require(!result.model.empty(), "export needs a MODEL; see --help.");
  require(!result.onnx.empty(), "export needs --onnx, the file to write; see --help.");
  require(result.onnx != "-", "--onnx is a file.");
  if (const auto part = values["part"].as<std::string>(); !part.empty()) {
    result.part = choose("part", part, onnx_parts());
  }
  result.layer = values["layer"].as<Index>();
  require(result.layer >= 0, fmt::format("--layer is at least 0, not {}.", result.layer));
  result.force = values["force"].as<bool>();
  result.quiet = values["quiet"].as<bool>();
  return result;
}

}  // namespace sae
