#pragma once

#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "sae/apply/inference.hpp"
#include "sae/apply/onnx.hpp"
#include "sae/bench/bench.hpp"
#include "sae/config/configuration.hpp"
#include "sae/data/import.hpp"
#include "sae/train/run_control.hpp"

namespace sae {

/// `help`, `--help` and `--version`: prints a text.
struct ShowText {
  std::string text;
};

struct TrainOptions {
  Configuration configuration;  ///< Data and run folder are empty unless given.
  RunControl control;           ///< Without heartbeat and stop functions.
  double stall_timeout = 300;   ///< Seconds.
  bool profile = false;         ///< Write profile.json and trace.json.
  Index summary_every = 10;     ///< Updates between summaries; 0: none.
  bool quiet = false;
  std::string progress;  ///< "auto", "bar" or "lines".
};

/// A model, and the samples that it is applied to.
struct ModelInput {
  std::filesystem::path model;
  std::filesystem::path data;  ///< Empty: to be searched.
  DataAccess data_access = DataAccess::kScatter;
  std::string split;  ///< "train", "validation" or "test".
  // None: those of the model's run.
  std::optional<Index> validation_size = {};
  std::optional<ValidationChoice> validation = {};
  double stall_timeout = 300;  ///< Seconds.
};

struct EvaluateOptions {
  ModelInput input;
  std::string csv;         ///< File; "-": standard output; empty: none.
  bool confusion = false;  ///< The CSV is the confusion matrix.
  bool force = false;      ///< Replace a model or a data set.
};

struct InferenceOptions {
  Inference kind = Inference::kPredictions;
  ModelInput input;
  Index layer = 0;                           ///< Hidden layer, counted from 1; 0: the last.
  bool per_feature = false;                  ///< Scores: also of each feature.
  std::optional<double> threshold = {};      ///< Of anomalies.
  std::optional<double> contamination = {};  ///< Share of validation samples above the threshold.
  bool labels_are_anomalies = false;         ///< Print how well scores tell labels above 0.
  std::filesystem::path output;              ///< HDF5 file; empty: none.
  std::string csv;                           ///< File; "-": standard output; empty: none.
  bool force = false;                        ///< Replace a model or a data set.
  bool quiet = false;
};

struct ExportOptions {
  std::filesystem::path model;
  std::filesystem::path onnx;         ///< The file to write.
  std::optional<OnnxPart> part = {};  ///< None: what the model was trained for.
  Index layer = 0;                    ///< Hidden layer, counted from 1; 0: the last.
  bool force = false;                 ///< Replace a model or a data set.
  bool quiet = false;
};

struct ImportCommandOptions {
  CsvFiles csv;       ///< Used if its training file is not empty,
  NpyArrays npy;      ///< else this if its training images are not empty,
  Hdf5Arrays arrays;  ///< else this if its file is not empty.
  IdxFiles idx;
  std::filesystem::path from;  ///< Folder to find the IDX files in; may be empty.
  std::string set;
  ImportOptions import;
  bool force = false;  ///< Replace a model or a data set.
};

struct BenchOptions {
  BenchSettings bench;         ///< With `auto` unresolved.
  double stall_timeout = 300;  ///< Seconds.
  std::string json;            ///< File; "-": standard output; empty: none.
  bool force = false;          ///< Replace a model or a data set.
};

struct DoctorOptions {
  std::filesystem::path run;   ///< Folder that runs will go to.
  std::filesystem::path data;  ///< Empty: to be searched.
  Index threads = 0;           ///< Per rank; 0: as many as it has cores.
  double stall_timeout = 60;   ///< Seconds.
};

struct InspectOptions {
  std::filesystem::path file;
};

struct ReportOptions {
  std::vector<std::filesystem::path> runs;  ///< Several: they are compared on one page.
  std::filesystem::path data;               ///< Of one run; empty: the run's own.
  std::filesystem::path output;             ///< Of several runs.
  bool force = false;                       ///< Replace a file that is no such page.
};

using Command =
    std::variant<ShowText, TrainOptions, EvaluateOptions, InferenceOptions, ExportOptions,
                 ImportCommandOptions, InspectOptions, BenchOptions, DoctorOptions, ReportOptions>;

/// Functions that return the text of a configuration file or a recipe, or tell of the environment.
/// Those that main passes are collective: rank 0 reads, so that only its host needs them.
struct FileTexts {
  std::function<std::string(const std::filesystem::path&)> configuration;
  std::function<std::string(const std::string&)> recipe;
  /// Whether $SAE_DATA names a data set.
  std::function<bool()> environment_names_data;
};

/// A command that the user can name.
struct CommandKind {
  std::string name;
  std::string summary;
  std::function<Command(const std::vector<std::string>& arguments, const FileTexts&)> parse;
};

const std::vector<CommandKind>& command_kinds();

/// Their names.
std::vector<std::string> command_names();

/// The value of --stall-timeout in seconds; the default if the option is absent or invalid.
double stall_timeout_of(const std::vector<std::string>& arguments);

/// Parses the command line. A function of the arguments and of what `files` returns, so that all
/// ranks get the same result or the same error.
/// Throws: UsageError.
Command parse_command_line(const std::vector<std::string>& arguments, const FileTexts& files);

/// As parse_command_line, for the arguments of `train`.
Command parse_train_options(const std::vector<std::string>& arguments, const FileTexts& files);

/// As parse_command_line, for the arguments of `evaluate`, and of `predict`, `encode` or
/// `reconstruct`.
Command parse_evaluate_options(const std::vector<std::string>& arguments);
Command parse_inference_options(Inference kind, const std::vector<std::string>& arguments);

/// As parse_command_line, for the arguments of `import`.
Command parse_import_options(const std::vector<std::string>& arguments);

/// As parse_command_line, for the arguments of `export`.
Command parse_export_options(const std::vector<std::string>& arguments);

/// As parse_command_line, for the arguments of `bench`.
Command parse_bench_options(const std::vector<std::string>& arguments);

}  // namespace sae
