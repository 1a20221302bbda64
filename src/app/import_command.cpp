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
  ImportOptions import = options.import;
  import.progress = [&progress](double share) { progress.show(share);
};
if (!options.csv.train.empty()) return import_csv(options.csv, import);
if (!options.npy.train_images.empty()) return import_npy(options.npy, import);
if (!options.arrays.file.empty()) return import_hdf5(options.arrays, import);
return import_idx(idx, import);
}  // namespace

void print_summary(const std::filesystem::path& output, const DatasetInfo& info) {
  fmt::print("wrote {}: {} training and {} test samples of {} {}, {} classes{}\n", output.string(),
             grouped(info.train_count), grouped(info.test_count), info.features,
             info.height > 0 || info.feature_names.empty() ? "pixels" : "features", info.classes,
             info.lacks_labels ? ", some without a label" : "");
}

}  // namespace sae

void run_import(const ImportCommandOptions& options, Communicator& comm) {
  if (comm.is_root()) {
    const IdxFiles idx =
        options.from.empty() ? options.idx : find_idx_files(options.from, options.set);
    check_output(options.import.output, inputs_of(options, idx), options.force);
    print_summary(options.import.output, import_any(options, idx));
  }
  comm.barrier();
}

}  // namespace sae
