#include "inspect_run.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <fstream>
#include <optional>
#include <system_error>
#include <vector>

#include "inspect_checkpoint.hpp"
#include "sae/config/settings.hpp"
#include "sae/core/error.hpp"
#include "sae/core/print.hpp"
#include "sae/core/text.hpp"
#include "sae/monitor/character_graphics.hpp"
#include "sae/run/checkpoint.hpp"
#include "sae/run/run_folder.hpp"
#include "sae/storage/sealed_file.hpp"
#include "sae/train/metrics.hpp"

namespace sae {
namespace {

namespace fs = std::filesystem;

constexpr Index kColumns = 60;
constexpr Index kRows = 4;

/// The valid lines of metrics.jsonl; the last may be incomplete while a run writes it.
std::vector<EpochRecord> epochs_of(const fs::path& metrics) {
  std::vector<EpochRecord> epochs;
  std::ifstream file(metrics);
  for (std::string line; std::getline(file, line);) {
    if (const auto epoch = parse_metrics_line(line)) epochs.push_back(*epoch);
  }
  return epochs;
}

void print_curves(const std::vector<EpochRecord>& epochs) {
  using Value = std::optional<double> (*)(const EpochRecord&);
  const std::vector<std::pair<const char*, Value>> curves = {
      {"loss", [](const EpochRecord& e) { return std::optional(e.loss); }},
      {"training error, %", [](const EpochRecord& e) { return e.train_error; }},
      {"validation error, %", [](const EpochRecord& e) { return e.validation_error; }},
      {"validation loss",
       [](const EpochRecord& e) { return e.validation_error ? std::nullopt : e.validation_loss; }}};
  for (auto begin = epochs.begin(); begin != epochs.end();) {
    const auto end = std::find_if(
        begin, epochs.end(), [&](const EpochRecord& epoch) { return epoch.stage != begin->stage; });
    for (const auto& [name, value_of] : curves) {
      std::vector<double> values;
      for (auto epoch = begin; epoch != end; ++epoch) {
        if (const auto value = value_of(*epoch)) values.push_back(*value);
      }
      if (values.empty()) continue;
      fmt::print("\n  {}, {} of {} epoch{}: {:.4g}\n{}", begin->stage, name, values.size(),
                 values.size() == 1 ? "" : "s", values.back(), curve(values, kColumns, kRows));
    }
    begin = end;
  }
}

std::string state_of(const fs::path& file) {
  try {
    check_seal(file);
    return "verified";
  } catch (const Error& error) {
    return fmt::format("not verified: {}", error.what());
  }
}

/// Models and checkpoints of the folder, newest last.
std::vector<fs::path> files_of(const RunFolder& folder) {
  std::vector<fs::path> files;
  std::error_code ignored;  // Files that cannot be listed are not shown.
  for (const auto& entry : fs::directory_iterator(folder.checkpoints(), ignored)) {
    if (entry.path().extension() == ".h5") files.push_back(entry.path());
  }
  std::sort(files.begin(), files.end());
  for (const auto& file : {folder.best(), folder.model()}) {
    if (fs::exists(file, ignored)) files.push_back(file);
  }
  return files;
}

/// The newest file that verifies; prefers a finished model to checkpoints.
std::optional<Checkpoint> newest_of(const RunFolder& folder, const std::vector<fs::path>& files) {
  for (auto file = files.rbegin(); file != files.rend(); ++file) {
    if (*file == folder.best()) continue;  // It may be much older.
    try {
      return load_checkpoint(*file);
    } catch (const Error&) {  // Reported in its line.
    }
  }
  return std::nullopt;
}

/// The option that names the data set of a run, if the run was given one.
std::string data_option(const Checkpoint& checkpoint) {
  const fs::path data = recorded_configuration(checkpoint.config).data;
  return data.empty() ? "" : fmt::format(" --data {}", shell_word(data.string()));
}

}  // namespace

void inspect_run(const fs::path& path) {
  const RunFolder folder(path);
  const auto files = files_of(folder);
  const auto epochs = epochs_of(folder.metrics());
  if (files.empty() && epochs.empty()) {
    throw MissingInputError(
        fmt::format("In the folder {} no model.h5, no checkpoint and no metrics.jsonl can be seen.",
                    path.string()));
  }
  const auto newest = newest_of(folder, files);
  fmt::print("{}: run{}\n", path.string(),
             newest ? fmt::format(" of {}, {}", to_string(newest->topology), newest->dataset) : "");
  if (newest) fmt::print("{}", progress_lines(*newest));
  print_curves(epochs);
  fmt::print("\n");
  for (const fs::path& file : files) {
    std::error_code ignored;
    fmt::print("  {:<32} {:>9}  {}\n", file.lexically_relative(path).string(),
               megabytes(static_cast<double>(fs::file_size(file, ignored))), state_of(file));
  }
  const bool finished = newest && newest->state.progress.finished;
  if (finished) {
    fmt::print("\n  finished; to see how good it is:\n    sae_dist evaluate {}{}\n",
               shell_word(folder.best().string()), data_option(*newest));
    return;
  }
  fmt::print(
      "\n  to resume, on any number of ranks:\n"
      "    sae_dist --config {} --run {} --resume auto\n",
      shell_word(folder.config().string()), shell_word(path.string()));
}

}  // namespace sae
