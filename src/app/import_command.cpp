#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cstdio>

#include "commands.hpp"
#include "outputs.hpp"
#include "sae/core/text.hpp"
#include "sae/monitor/progress_bar.hpp"
#include "sae/monitor/terminal.hpp"

namespace sae {
namespace {

/// Shows on one line of the terminal, if there is one, how much of the work is done.
class ImportProgress {
 public:
  ~ImportProgress() {
    if (shown_) fmt::print("\r\x1b[K");
  }

  void show(double share) {
    const auto now = Clock::now();
    if (columns_ == 0 || now - last_drawn_ < kRedraw) return;
    last_drawn_ = now;
    const double seconds = std::chrono::duration<double>(now - start_).count();
    const double left = seconds * (1 - share) / std::max(share, 1e-9);
    fmt::print("\r\x1b[K{}",
               bar_line("importing ", share,
                        fmt::format(" {:.0f}% left {}", 100 * share, duration(left)), columns_));
    std::fflush(stdout);
    shown_ = true;
  }

 private:
  using Clock = std::chrono::steady_clock;
  static constexpr std::chrono::milliseconds kRedraw{100};

  int columns_ = terminal_columns().value_or(0);
  Clock::time_point start_ = Clock::now();
  Clock::time_point last_drawn_ = start_;
  bool shown_ = false;
};

std::vector<std::filesystem::path> inputs_of(const ImportCommandOptions& options,
                                             const IdxFiles& idx) {
  return {options.csv.train,
          options.csv.test,
          options.arrays.file,
          npy_file_of(options.npy.train_images),
          npy_file_of(options.npy.train_labels),
          npy_file_of(options.npy.test_images),
          npy_file_of(options.npy.test_labels),
          idx.train_images,
          idx.train_labels,
          idx.test_images,
          idx.test_labels};
}

DatasetInfo import_any(const ImportCommandOptions& options, const IdxFiles& idx) {
  ImportProgress progress;
  ImportOptions common = options.import;
  common.progress = [&progress](double share) { progress.show(share); };
  if (!options.csv.train.empty()) return import_csv(options.csv, common);
  if (!options.npy.train_images.empty()) return import_npy(options.npy, common);
  if (!options.arrays.file.empty()) return import_hdf5(options.arrays, common);
  return import_idx(idx, common);
}

/// The columns of words of a table with the number of their words, from the names of its features.
std::string columns_of_words(const DatasetInfo& info) {
  constexpr std::size_t kMost = 20;
  std::vector<std::pair<std::string, int>> columns;
  for (const std::string& name : info.feature_names) {
    const auto end = name.find('=');
    if (end == std::string::npos) continue;
    const std::string column = name.substr(0, end);
    if (columns.empty() || columns.back().first != column) columns.emplace_back(column, 0);
    ++columns.back().second;
  }
  std::string text;
  for (std::size_t i = 0; i < std::min(kMost, columns.size()); ++i) {
    text += fmt::format("{}{} ({})", i == 0 ? "" : ", ", columns[i].first, columns[i].second);
  }
  if (columns.size() > kMost) text += fmt::format(" and {} more", columns.size() - kMost);
  return text;
}

void print_summary(const ImportCommandOptions& options, const DatasetInfo& info) {
  fmt::print("wrote {}: {} training and {} test samples of {} {}, {} classes{}\n",
             options.import.output.string(), grouped(info.train_count), grouped(info.test_count),
             info.features, info.height > 0 || info.feature_names.empty() ? "pixels" : "features",
             info.classes, info.lacks_labels ? ", some without a label" : "");
  const std::string words = options.csv.train.empty() ? "" : columns_of_words(info);
  if (!words.empty()) fmt::print("  columns of words, with the number of them: {}\n", words);
}

}  // namespace

void run_import(const ImportCommandOptions& options, Communicator& comm) {
  if (comm.is_root()) {
    const IdxFiles idx =
        options.from.empty() ? options.idx : find_idx_files(options.from, options.set);
    check_output(options.import.output, inputs_of(options, idx), options.force);
    print_summary(options, import_any(options, idx));
  }
  comm.barrier();
}

}  // namespace sae
