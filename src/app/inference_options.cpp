#include "help.hpp"
#include "options.hpp"
#include "parsing.hpp"
#include "sae/config/values.hpp"
#include "setting_options.hpp"

namespace po = boost::program_options;

namespace sae {
namespace {

po::typed_value<std::string>* named_text(const char* unit, const char* initial = "") {
  return po::value<std::string>()->default_value(initial)->value_name(unit);
}

/// Adds the options that all commands share that apply a model.
void add_input_options(po::options_description& options) {
  options.add_options()("model", named_text("FILE"), "model.h5, best.h5 or a checkpoint");
  options.add(setting_options({"data", "data-access"}));
  options.add_options()("split", named_text("train|validation|test", "test"),
                        "what to apply the model to; training and validation set are those of the "
                        "model's run")("validation-size", po::value<std::string>()->value_name("N"),
                                       "instead of the size of the run's")(
      "validation", po::value<std::string>()->value_name("random|first"),
      "instead of the run's choice")("stall-timeout", named_text("TIME", "300s"),
                                     "end the job after so long without progress");
}

po::variables_map parse(const std::vector<std::string>& arguments,
                        const po::options_description& options) {
  return parse_arguments(arguments, options, po::positional_options_description().add("model", 1));
}

std::string text_of(const po::variables_map& values, const char* option) {
  return values[option].as<std::string>();
}

ModelInput input_of(const po::variables_map& values, const std::string& command) {
  ModelInput input;
  input.model = text_of(values, "model");
  require(!input.model.empty(), fmt::format("{} needs a MODEL; see --help.", command));
  const Configuration given = configuration_of(given_settings(values));
  input.data = given.data;
  input.data_access = given.data_access;
  input.split =
      choose<std::string>("split", text_of(values, "split"),
                          {{"train", "train"}, {"validation", "validation"}, {"test", "test"}});
  if (values.count("validation-size") > 0) input.validation_size = given.validation_size;
  if (values.count("validation") > 0) input.validation = given.validation;
  input.stall_timeout = parse_duration("stall-timeout", text_of(values, "stall-timeout"));
  return input;
}

void add_score_options(po::options_description& options) {
  options.add_options()("per-feature", po::bool_switch(), "also the squared error of each feature")(
      "threshold", po::value<std::string>()->value_name("SCORE"),
      "mark samples with a larger score as anomalies")(
      "contamination", po::value<std::string>()->value_name("SHARE"),
      "the same, with the score that this share of the validation samples exceeds, such as "
      "0.05")("labels-are-anomalies", po::bool_switch(),
              "print how well the scores tell samples with a label above 0 from those with 0: ROC "
              "AUC and average precision");
}

void take_score_options(const po::variables_map& values, InferenceOptions& result) {
  result.per_feature = values["per-feature"].as<bool>();
  result.labels_are_anomalies = values["labels-are-anomalies"].as<bool>();
  if (values.count("threshold") > 0) {
    result.threshold = parse_real("threshold", text_of(values, "threshold"));
  }
  if (values.count("contamination") > 0) {
    result.contamination = parse_real("contamination", text_of(values, "contamination"));
    require(*result.contamination > 0 && *result.contamination < 1,
            "--contamination is a share between 0 and 1.");
  }
  require(!result.threshold || !result.contamination,
          "--threshold and --contamination both say what an anomaly is; give one.");
}

struct InferenceCommand {
  std::string name;
  std::string makes;
  std::string layer;  ///< Help text of --layer; empty: the command has no such option.
};

InferenceCommand command_of(Inference kind) {
  switch (kind) {
    case Inference::kPredictions:
      return {"predict", "label and probabilities of each sample", ""};
    case Inference::kCodes:
      return {"encode", "codes of a hidden layer for each sample, features for other programs",
              "hidden layer whose codes to write, counted from 1; 0: the last"};
    case Inference::kScores:
      return {"score", "the mean squared error of each sample's reconstruction, to find anomalies",
              "hidden layer up to which to encode, counted from 1; 0: the last"};
    case Inference::kReconstructions:
      break;
  }
  return {"reconstruct", "the values of each sample, encoded and decoded again",
          "hidden layer up to which to encode, counted from 1; 0: the last. Fine-tuning as a "
          "classifier makes reconstructions worse; pretrained.h5 reconstructs best"};
}

}  // namespace

Command parse_evaluate_options(const std::vector<std::string>& arguments) {
  po::options_description options("Options");
  add_input_options(options);
  options.add_options()("csv", named_text("FILE|-"),
                        "write samples, errors and loss there; -: to the output, and no tables")(
      "confusion", po::bool_switch(),
      "write the confusion matrix there instead: a row for each label, a column for each "
      "prediction; of more than 20 classes a line for each pair that occurs")(
      "force", po::bool_switch(), "replace a file even if it is a model or a data set")(
      "help,h", "this text");
  if (asks_for_help(arguments)) {
    return ShowText{help_of("sae_dist evaluate MODEL [options]",
                            "Prints error and confusion matrix of a model on a split; also under "
                            "mpirun or srun.",
                            options)};
  }
  const auto values = parse(arguments, options);
  return EvaluateOptions{.input = input_of(values, "evaluate"),
                         .csv = text_of(values, "csv"),
                         .confusion = values["confusion"].as<bool>(),
                         .force = values["force"].as<bool>()};
}

Command parse_inference_options(Inference kind, const std::vector<std::string>& arguments) {
  const InferenceCommand command = command_of(kind);
  po::options_description options("Options");
  add_input_options(options);
  options.add_options()("output", named_text("FILE"), "the HDF5 file to write")(
      "csv", named_text("FILE|-"), "also, or only, as comma-separated values; -: to the output")(
      "force", po::bool_switch(), "replace a file even if it is a model or a data set")(
      "quiet", po::bool_switch(), "print nothing but errors and warnings")("help,h", "this text");
  if (!command.layer.empty()) {
    options.add_options()("layer", po::value<Index>()->default_value(0)->value_name("N"),
                          command.layer.c_str());
  }
  if (kind == Inference::kScores) add_score_options(options);
  if (asks_for_help(arguments)) {
    return ShowText{help_of(fmt::format("sae_dist {} MODEL --output FILE [options]", command.name),
                            fmt::format("Writes {}; also under mpirun or srun.", command.makes),
                            options)};
  }
  const auto values = parse(arguments, options);
  InferenceOptions result;
  result.kind = kind;
  result.input = input_of(values, command.name);
  if (values.count("layer") > 0) result.layer = values["layer"].as<Index>();
  require(result.layer >= 0, fmt::format("--layer is at least 0, not {}.", result.layer));
  result.output = text_of(values, "output");
  result.csv = text_of(values, "csv");
  require(!result.output.empty() || !result.csv.empty(),
          fmt::format("{} needs --output or --csv; see --help.", command.name));
  require(result.output != "-", "--output is a file; --csv - writes to the output.");
  require(result.output != result.csv, "--output and --csv are different files.");
  result.force = values["force"].as<bool>();
  result.quiet = values["quiet"].as<bool>();
  if (kind == Inference::kScores) take_score_options(values, result);
  return result;
}

}  // namespace sae
