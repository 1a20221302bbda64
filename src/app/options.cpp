#include "options.hpp"

#include <sstream>

#include "parsing.hpp"
#include "sae/config/settings.hpp"
#include "sae/config/values.hpp"
#include "version.hpp"

namespace po = boost::program_options;

namespace sae {
namespace {

po::typed_value<std::string>* text(const char* unit) {
  return po::value<std::string>()->default_value("")->value_name(unit);
}

bool wants_help(const po::variables_map& values) { return values.count("help") > 0; }

ShowText help_text(const po::options_description& options) {
  std::ostringstream stream;
  stream << options;
  return {stream.str()};
}

Command parse_import_options(const std::vector<std::string>& arguments) {
  po::options_description options(
      "sae_dist import --from FOLDER --output FILE [options]: makes a data set file of IDX files, "
      "plain or packed with gzip, or of arrays in an HDF5 file");
  options.add_options()("from", text("FOLDER"), "where the IDX files are, by their usual names")(
      "set", text("NAME"), "which set of the folder, such as emnist-letters")(
      "hdf5", text("FILE"), "take arrays of this HDF5 file; the four names below are theirs")(
      "train-images", text("NAME"), "IDX file or array; instead of --from")(
      "train-labels", text("NAME"), "IDX file or array")("test-images", text("NAME"),
                                                         "IDX file or array")(
      "test-labels", text("NAME"), "IDX file or array")("output", text("FILE"),
                                                        "the data set file to write")(
      "name", text("NAME"), "name of the data set; else that of the output file")(
      "classes", po::value<Index>()->default_value(0)->value_name("N"),
      "number of classes; 0: the largest label plus one")(
      "source", text("TEXT"), "where the data come from")("license", text("TEXT"), "their licence")(
      "force", po::bool_switch(), "replace a file even if it is a model or a data set")(
      "help", "this text");
  const auto values = parse_arguments(arguments, options);
  if (wants_help(values)) return help_text(options);
  const auto name = [&](const char* option) { return values[option].as<std::string>(); };
  require(!name("output").empty(), "import needs --output; see --help.");
  require(!name("from").empty() || !name("train-images").empty(),
          "import needs --from, or --train-images and its companions; see --help.");
  require(name("from").empty() || (name("train-images").empty() && name("hdf5").empty()),
          "--from finds the files; it does not go with --train-images or --hdf5.");
  const Index classes = values["classes"].as<Index>();
  require(0 <= classes && classes <= kMaxClasses,
          fmt::format("--classes is in [0, {}], not {}.", kMaxClasses, classes));

  ImportCommandOptions result;
  result.from = name("from");
  result.set = name("set");
  if (name("hdf5").empty()) {
    result.idx = {name("train-images"), name("train-labels"), name("test-images"),
                  name("test-labels")};
  } else {
    result.arrays = {name("hdf5"), name("train-images"), name("train-labels"), name("test-images"),
                     name("test-labels")};
  }
  result.import = {.output = name("output"),
                   .name = name("name"),
                   .classes = classes,
                   .source = name("source"),
                   .license = name("license")};
  result.force = values["force"].as<bool>();
  if (result.import.name.empty()) result.import.name = result.import.output.stem();
  return result;
}

Command parse_doctor_options(const std::vector<std::string>& arguments) {
  po::options_description options(
      "sae_dist doctor [options]: whether this machine, allocation and file system are fit; under "
      "mpirun or srun also whether the nodes are alike. Ends with 70 if something will not work");
  options.add_options()("run",
                        po::value<std::string>()->default_value("runs")->value_name("FOLDER"),
                        "where runs will go")(
      "data", text("FILE"), "data set; else $SAE_DATA, data/mnist.h5, the installed one")(
      "threads", po::value<std::string>()->default_value("auto")->value_name("auto|T"),
      "of each rank")("stall-timeout",
                      po::value<std::string>()->default_value("60s")->value_name("TIME"),
                      "end the job after so long without an answer")("help", "this text");
  const auto values = parse_arguments(arguments, options);
  if (wants_help(values)) return help_text(options);
  const auto name = [&](const char* option) { return values[option].as<std::string>(); };
  return DoctorOptions{.run = name("run"),
                       .data = name("data"),
                       .threads = configuration_of({{"threads", {name("threads")}}}).threads,
                       .stall_timeout = parse_duration("stall-timeout", name("stall-timeout"))};
}

Command parse_inspect_options(const std::vector<std::string>& arguments) {
  po::options_description options("sae_dist inspect FILE: what a data set, model or run holds");
  options.add_options()("file", text("FILE"), "data set, checkpoint or run folder")("help",
                                                                                    "this text");
  const auto values =
      parse_arguments(arguments, options, po::positional_options_description().add("file", 1));
  if (wants_help(values)) return help_text(options);
  const auto file = values["file"].as<std::string>();
  require(!file.empty(), "inspect needs a FILE; see --help.");
  return InspectOptions{file};
}

Command parse_report_options(const std::vector<std::string>& arguments) {
  po::options_description options(
      "sae_dist report RUN [options]: writes the page of a run, RUN/report.html, anew");
  options.add_options()("run", text("FOLDER"), "the run's folder")(
      "data", text("FILE"), "data set for the pictures; else the one that the run was trained on")(
      "help", "this text");
  const auto values =
      parse_arguments(arguments, options, po::positional_options_description().add("run", 1));
  if (wants_help(values)) return help_text(options);
  const auto run = values["run"].as<std::string>();
  require(!run.empty(), "report needs the folder of a RUN; see --help.");
  return ReportOptions{.run = run, .data = values["data"].as<std::string>()};
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
