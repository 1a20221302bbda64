#include "options.hpp"

#include <algorithm>

#include "help.hpp"
#include "parsing.hpp"
#include "sae/config/settings.hpp"
#include "sae/config/values.hpp"
#include "sae/core/suggestion.hpp"

namespace po = boost::program_options;

namespace sae {
namespace {

po::typed_value<std::string>* text_value(const char* unit) {
  return po::value<std::string>()->default_value("")->value_name(unit);
}

Command parse_doctor_options(const std::vector<std::string>& arguments) {
  po::options_description options("Options");
  options.add_options()("run",
                        po::value<std::string>()->default_value("runs")->value_name("FOLDER"),
                        "where runs will go")(
      "data", text_value("FILE"), "data set; else $SAE_DATA, data/mnist.h5, the installed one")(
      "threads", po::value<std::string>()->default_value("auto")->value_name("auto|T"),
      "of each rank")("stall-timeout",
                      po::value<std::string>()->default_value("60s")->value_name("TIME"),
                      "end the job after so long without an answer")("help,h", "this text");
  if (asks_for_help(arguments)) {
    return ShowText{help_of("sae_dist doctor [options]",
                            "Checks this machine, the allocation and the file system; under mpirun "
                            "or srun it also compares the nodes. Ends with 70 if something will "
                            "not work.",
                            options)};
  }
  const auto values = parse_arguments(arguments, options);
  const auto name = [&](const char* option) { return values[option].as<std::string>(); };
  return DoctorOptions{.run = name("run"),
                       .data = name("data"),
                       .threads = configuration_of({{"threads", {name("threads")}}}).threads,
                       .stall_timeout = parse_duration("stall-timeout", name("stall-timeout"))};
}

Command parse_inspect_options(const std::vector<std::string>& arguments) {
  po::options_description options("Options");
  options.add_options()("file", text_value("FILE"), "data set, checkpoint or run folder")(
      "help,h", "this text");
  if (asks_for_help(arguments)) {
    return ShowText{help_of("sae_dist inspect FILE",
                            "Shows what a data set, a model or a run holds.", options)};
  }
  const auto values =
      parse_arguments(arguments, options, po::positional_options_description().add("file", 1));
  const auto file = values["file"].as<std::string>();
  require(!file.empty(), "inspect needs a FILE; see --help.");
  return InspectOptions{file};
}

Command parse_report_options(const std::vector<std::string>& arguments) {
  po::options_description options("Options");
  options.add_options()("run", po::value<std::vector<std::string>>()->value_name("FOLDER"),
                        "folder of a run")(
      "data", text_value("FILE"),
      "of one run: data set for the pictures; else the one that it was trained on")(
      "output", po::value<std::string>()->default_value("comparison.html")->value_name("FILE"),
      "of several runs: the page")("force", po::bool_switch(),
                                   "replace a file even if it is not such a page")("help,h",
                                                                                   "this text");
  if (asks_for_help(arguments)) {
    return ShowText{help_of("sae_dist report RUN [RUN ...] [options]",
                            "Writes the page of a run, RUN/report.html, again; of several runs, "
                            "one page that compares them.",
                            options)};
  }
  const auto values =
      parse_arguments(arguments, options, po::positional_options_description().add("run", -1));
  ReportOptions result;
  result.data = values["data"].as<std::string>();
  result.output = values["output"].as<std::string>();
  result.force = values["force"].as<bool>();
  if (values.count("run") > 0) {
    for (const auto& run : values["run"].as<std::vector<std::string>>()) result.runs.push_back(run);
  }
  require(!result.runs.empty() && std::ranges::count(result.runs, "") == 0,
          "report needs the folder of a RUN; see --help.");
  const bool compares = result.runs.size() > 1;
  require(!compares || result.data.empty(), "--data is for the page of one run, not of several.");
  require(compares || (values["output"].defaulted() && !result.force),
          "--output and --force are for a page of several runs; one is given.");
  require(!result.output.empty() && result.output != "-", "--output is a file.");
  return result;
}

/// `help` and `help COMMAND`.
Command parse_help(const std::vector<std::string>& arguments, const FileTexts& files) {
  require(arguments.size() <= 1, "There are more arguments than this command takes; see --help.");
  const std::string command = arguments.empty() ? "train" : arguments[0];
  return parse_command_line({command, "--help"}, files);
}

}  // namespace

double stall_timeout_of(const std::vector<std::string>& arguments) {
  const std::string option = "--stall-timeout";
  const double usual = !arguments.empty() && arguments[0] == "doctor"
                           ? DoctorOptions().stall_timeout
                           : TrainOptions().stall_timeout;
  for (std::size_t i = 0; i < arguments.size(); ++i) {
    const std::string& word = arguments[i];
    std::string value;
    if (word.starts_with(option + "=")) value = word.substr(option.size() + 1);
    if (word == option && i + 1 < arguments.size()) value = arguments[i + 1];
    if (value.empty()) continue;
    try {
      return parse_duration("stall-timeout", value);
    } catch (const UsageError&) {  // parse_command_line reports it.
      return usual;
    }
  }
  return usual;
}

const std::vector<CommandKind>& command_kinds() {
  using Words = const std::vector<std::string>&;
  using Parse = Command (*)(Words);
  const auto alone = [](Parse parse) {
    return [parse](Words arguments, const FileTexts&) { return parse(arguments); };
  };
  const auto inference = [](Inference kind) {
    return [kind](Words arguments, const FileTexts&) {
      return parse_inference_options(kind, arguments);
    };
  };
  static const std::vector<CommandKind> kinds = {
      {"train", "trains, or goes on with a run", parse_train_options},
      {"import", "makes a data set of tables or arrays", alone(parse_import_options)},
      {"inspect", "shows what is in a data set, a model or a run", alone(parse_inspect_options)},
      {"evaluate", "prints error and confusion matrix of a model", alone(parse_evaluate_options)},
      {"predict", "writes class and probabilities of each sample",
       inference(Inference::kPredictions)},
      {"encode", "writes the features of each sample", inference(Inference::kCodes)},
      {"reconstruct", "writes each sample decoded", inference(Inference::kReconstructions)},
      {"score", "writes how unusual each sample is", inference(Inference::kScores)},
      {"export", "writes a model as ONNX", alone(parse_export_options)},
      {"report", "writes the page of a run again, or compares runs", alone(parse_report_options)},
      {"doctor", "checks machine, nodes and file system", alone(parse_doctor_options)},
      {"bench", "measures how fast they are", alone(parse_bench_options)}};
  return kinds;
}

std::vector<std::string> command_names() {
  std::vector<std::string> names;
  for (const CommandKind& kind : command_kinds()) names.push_back(kind.name);
  return names;
}

Command parse_command_line(const std::vector<std::string>& arguments, const FileTexts& files) {
  if (arguments.empty() || arguments[0].starts_with("-")) {
    return parse_train_options(arguments, files);
  }
  const std::vector<std::string> rest(arguments.begin() + 1, arguments.end());
  if (arguments[0] == "help") return parse_help(rest, files);
  for (const CommandKind& kind : command_kinds()) {
    if (kind.name == arguments[0]) return kind.parse(rest, files);
  }
  std::vector<std::string> names = command_names();
  names.emplace_back("help");
  throw UsageError(fmt::format("There is no command '{}'; there are {} and {}.{}", arguments[0],
                               fmt::join(names.begin(), names.end() - 1, ", "), names.back(),
                               did_you_mean(arguments[0], names)));
}

}  // namespace sae
