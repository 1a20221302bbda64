#pragma once

#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "sae/apply/inference.hpp"
#include "sae/bench/bench.hpp"
#include "sae/config/configuration.hpp"
#include "sae/data/import.hpp"
#include "sae/train/run_control.hpp"

namespace sae {

/// `--help` and `--version`: a text, and nothing else to do.
struct ShowText {
  std::string text;
};

struct TrainOptions {
  Configuration configuration;  ///< Without data and run folder where not given.
  RunControl control;           ///< Without heartbeat and signals.
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
  Index validation_size = 0;
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
  Index layer = 0;               ///< Hidden layer, counted from 1; 0: the last.
  std::filesystem::path output;  ///< HDF5 file; empty: none.
  std::string csv;               ///< File; "-": standard output; empty: none.
  bool force = false;            ///< Replace a model or a data set.
  bool quiet = false;
};

struct ImportCommandOptions {
  IdxFiles idx;
  Hdf5Arrays arrays;           ///< Used if its file is not empty.
  std::filesystem::path from;  ///< Folder to find the IDX files in; may be empty.
  std::string set;
  ImportOptions import;
  bool force = false;  ///< Replace a model or a data set.
};

struct BenchOptions {
  BenchSettings bench;         ///< Without what "auto" leaves open.
  double stall_timeout = 300;  ///< Seconds.
  std::string json;            ///< File; "-": standard output; empty: none.
  bool force = false;          ///< Replace a model or a data set.
};

struct DoctorOptions {
  std::filesystem::path run;   ///< Folder that runs will go to.
  std::filesystem::path data;  ///< Empty: to be searched.
  Index threads = 0;           ///< Of each rank; 0: as many as there are cores for.
  double stall_timeout = 60;   ///< Seconds.
};

struct InspectOptions {
  std::filesystem::path file;
};

struct ReportOptions {
  std::filesystem::path run;
  std::filesystem::path data;  ///< Empty: the run's own.
};

using Command =
    std::variant<ShowText, TrainOptions, EvaluateOptions, InferenceOptions, ImportCommandOptions,
                 InspectOptions, BenchOptions, DoctorOptions, ReportOptions>;

/// The text of a recipe or configuration file. Collective where it is given by main: rank 0
/// reads, so that the file needs to be on its host only.
struct FileTexts {
  std::function<std::string(const std::filesystem::path&)> configuration;
  std::function<std::string(const std::string&)> recipe;
};

/// Seconds after which a rank may be given up that comes to no progress, by what the arguments say
/// of --stall-timeout; the usual ones if they say nothing, or nothing right.
double stall_timeout_of(const std::vector<std::string>& arguments);

/// What the command line asks for. A function of the arguments and of what `files` returns: all
/// ranks get the same result or the same error.
/// Throws: UsageError.
Command parse_command_line(const std::vector<std::string>& arguments, const FileTexts& files);

/// As parse_command_line, for what follows the command `train`.
Command parse_train_options(const std::vector<std::string>& arguments, const FileTexts& files);

/// As parse_command_line, for what follows `evaluate`, and `predict`, `encode` or `reconstruct`.
Command parse_evaluate_options(const std::vector<std::string>& arguments);
Command parse_inference_options(Inference kind, const std::vector<std::string>& arguments);

/// As parse_command_line, for what follows the command `bench`.
Command parse_bench_options(const std::vector<std::string>& arguments);

}  // namespace sae
