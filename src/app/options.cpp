#include "options.hpp"

#include <algorithm>
#include <sstream>

#include "parsing.hpp"
#include "sae/config/settings.hpp"
#include "sae/config/values.hpp"
#include "version.hpp"

namespace po = boost::program_options;

namespace sae {
namespace {

po::typed_value<std::string>* text_value(const char* unit) {
  return po::value<std::string>()->default_value("")->value_name(unit);
}

bool asks_for_help(const po::variables_map& values) { return values.count("help") > 0; }

ShowText help_of(const po::options_description& options) {
  std::ostringstream stream;
  stream << options;
  return {stream.str()};
}

Command parse_doctor_options(const std::vector<std::string>& arguments) {
  po::options_description options(
      "sae_dist doctor [options]: whether this machine, allocation and file system are fit; under "
      "mpirun or srun also whether the nodes are alike. Ends with 70 if something will not work");
  options.add_options()("run",
                        po::value<std::string>()->default_value("runs")->value_name("FOLDER"),
                        "where runs will go")(
      "data", text_value("FILE"), "data set; else $SAE_DATA, data/mnist.h5, the installed one")(
      "threads", po::value<std::string>()->default_value("auto")->value_name("auto|T"),
      "of each rank")("stall-timeout",
                      po::value<std::string>()->default_value("60s")->value_name("TIME"),
                      "end the job after so long without an answer")("help", "this text");
  const auto values = parse_arguments(arguments, options);
  if (asks_for_help(values)) return help_of(options);
  const auto name = [&](const char* option) { return values[option].as<std::string>(); };
  return DoctorOptions{.run = name("run"),
                       .data = name("data"),
                       .threads = configuration_of({{"threads", {name("threads")}}}).threads,
                       .stall_timeout = parse_duration("stall-timeout", name("stall-timeout"))};
}

Command parse_inspect_options(const std::vector<std::string>& arguments) {
  po::options_description options("sae_dist inspect FILE: what a data set, model or run holds");
  options.add_options()("file", text_value("FILE"), "data set, checkpoint or run folder")(
      "help", "this text");
  const auto values =
      parse_arguments(arguments, options, po::positional_options_description().add("file", 1));
  if (asks_for_help(values)) return help_of(options);
  const auto file = values["file"].as<std::string>();
  require(!file.empty(), "inspect needs a FILE; see --help.");
  return InspectOptions{file};
}

Command parse_report_options(const std::vector<std::string>& arguments) {
  po::options_description options(
      "sae_dist report RUN [options]: writes the page of a run, RUN/report.html, anew\n"
      "sae_dist report RUN RUN ... [options]: writes one page that compares runs");
  options.add_options()("run", po::value<std::vector<std::string>>()->value_name("FOLDER"),
                        "folder of a run")(
      "data", text_value("FILE"),
      "of one run: data set for the pictures; else the one that it was trained on")(
      "output", po::value<std::string>()->default_value("comparison.html")->value_name("FILE"),
      "of several runs: the page")("force", po::bool_switch(),
                                   "replace a file even if it is not such a page")("help",
                                                                                   "this text");
  const auto values =
      parse_arguments(arguments, options, po::positional_options_description().add("run", -1));
  if (asks_for_help(values)) return help_of(options);
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

Command parse_command_line(const std::vector<std::string>& arguments, const FileTexts& files) {
  if (!arguments.empty() && arguments[0] == "--version") {
    return ShowText{fmt::format("sae_dist {}\n", kVersion)};
  }
  if (arguments.empty() || arguments[0].starts_with("-")) {
    return parse_train_options(arguments, files);
  }
  const std::vector<std::string> rest(arguments.begin() + 1, arguments.end());
  if (arguments[0] == "train") return parse_train_options(rest, files);
  if (arguments[0] == "bench") return parse_bench_options(rest);
  if (arguments[0] == "evaluate") return parse_evaluate_options(rest);
  if (arguments[0] == "predict") return parse_inference_options(Inference::kPredictions, rest);
  if (arguments[0] == "encode") return parse_inference_options(Inference::kCodes, rest);
  if (arguments[0] == "reconstruct") {
    return parse_inference_options(Inference::kReconstructions, rest);
  }
  if (arguments[0] == "score") return parse_inference_options(Inference::kScores, rest);
  if (arguments[0] == "export") return parse_export_options(rest);
  if (arguments[0] == "doctor") return parse_doctor_options(rest);
  if (arguments[0] == "import") return parse_import_options(rest);
  if (arguments[0] == "inspect") return parse_inspect_options(rest);
  if (arguments[0] == "report") return parse_report_options(rest);
  throw UsageError(
      fmt::format("There is no command '{}'; there are train, bench, evaluate, predict, encode, "
                  "reconstruct, score, export, import, inspect, report and doctor.",
                  arguments[0]));
}

}  // namespace sae
