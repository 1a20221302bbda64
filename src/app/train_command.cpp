#include <fmt/chrono.h>
#include <fmt/format.h>

#include <cstdio>
#include <ctime>
#include <memory>
#include <system_error>

#include "commands.hpp"
#include "sae/comm/mpi_session.hpp"
#include "sae/comm/stop_signal.hpp"
#include "sae/comm/watchdog.hpp"
#include "sae/core/error.hpp"
#include "sae/core/print.hpp"
#include "sae/kernels/products.hpp"
#include "sae/monitor/console.hpp"
#include "sae/monitor/event_writer.hpp"
#include "sae/monitor/model_pictures.hpp"
#include "sae/monitor/observer_list.hpp"
#include "sae/monitor/picture_files.hpp"
#include "sae/monitor/run_log.hpp"
#include "sae/monitor/run_report.hpp"
#include "sae/monitor/terminal.hpp"
#include "sae/train/trainer.hpp"
#include "search.hpp"
#include "threads.hpp"
#include "version.hpp"

namespace sae {
namespace {

/// Creates a new folder named after the time.
std::filesystem::path new_run_folder() {
  const std::filesystem::path runs = "runs";
  const auto stem = runs / fmt::format("{:%Y-%m-%d-%H%M%S}", fmt::localtime(std::time(nullptr)));
  std::error_code ignored;  // The trainer reports the failure.
  std::filesystem::create_directories(runs, ignored);
  auto folder = stem;
  for (int i = 2; !std::filesystem::create_directory(folder, ignored) && !ignored; ++i) {
    folder = fmt::format("{}-{}", stem.string(), i);
  }
  return folder;
}

/// Removes the folder on destruction if it is empty.
struct RemoveIfEmpty {
  std::filesystem::path folder;
  ~RemoveIfEmpty() {
    std::error_code ignored;
    if (!folder.empty() && std::filesystem::remove(folder, ignored)) {
      std::filesystem::remove(folder.parent_path(), ignored);
    }
  }
};

/// For --quiet: prints only warnings, on stderr.
class WarningsOnly final : public TrainingObserver {
 public:
  void warning(const std::string& sentence) override {
    print_to(stderr, fmt::format("sae_dist: warning: {}\n", sentence));
  }
};

/// On rank 0.
void add_observers(ObserverList& observers, const TrainOptions& options,
                   const Configuration& configuration, const std::string& libraries) {
  const RunFolder folder(configuration.run);
  auto& pictures = observers.add(std::make_unique<ModelPictures>());
  observers.add(std::make_unique<RunLog>(folder, configuration, libraries));
  observers.add(std::make_unique<PictureFiles>(folder, pictures),
                "Training goes on without this picture.");
  if (options.summary_every > 0) {
    observers.add(
        std::make_unique<EventWriter>(folder, configuration, options.summary_every, pictures),
        "Training goes on; TensorBoard's curves get gaps.");
  }
  observers.add(std::make_unique<RunReport>(folder, configuration, libraries, pictures),
                "Training goes on.");
  // Last: a warning that the output takes no more text is in the files.
  if (options.quiet) {
    observers.add(std::make_unique<WarningsOnly>());
  } else {
    int columns = options.progress == "bar" ? 100 : 0;
    if (options.progress != "lines") columns = terminal_columns().value_or(columns);
    observers.add(std::make_unique<Console>(configuration, libraries, columns, stdout),
                  "Training goes on.");
  }
}

}  // namespace

ExitCode run_train(const TrainOptions& options, Communicator& comm, const std::string& fault) {
  install_stop_signals();
  Configuration configuration = options.configuration;
  auto warnings = decide_threads(configuration, comm);
  if (!fault.empty()) warnings.push_back(fmt::format("warning: {}.", fault));
  set_product_threads(static_cast<int>(configuration.threads));
  configuration.data = find_dataset(configuration.data, comm);
  // Only rank 0 writes, so other ranks need no name.
  RemoveIfEmpty made;
  if (configuration.run.empty() && comm.is_root())
    made.folder = configuration.run = new_run_folder();

  ObserverList observers;
  const std::string libraries = fmt::format("sae_dist {}, {}, {}", kVersion,
                                            MpiSession::library_version(), kernel_description());
  if (comm.is_root()) add_observers(observers, options, configuration, libraries);
  Watchdog watchdog(comm, std::chrono::duration<double>(options.stall_timeout),
                    stage_names(configuration), [&observers](const std::string& sentence) {
                      observers.run_failed(ExitCode::kInternal, sentence);
                    });
  RunControl control = options.control;
  control.heartbeat = &watchdog.heartbeat();
  control.stop_requested = stop_requested;
  control.stop_reason = stop_signal;
  control.notes = warnings;

  watchdog.heartbeat().enter(Phase::kFile);
  watchdog.heartbeat().beat();
  try {
    DistributedDataset dataset(configuration.data, configuration.data_access, comm,
                               control.heartbeat);
    const RunResult result = Trainer(configuration, control, dataset, comm, observers).run();
    return result.stopped ? ExitCode::kStopped : ExitCode::kDone;
  } catch (const std::exception& error) {
    observers.run_failed(code_of(error), sentence_of(error));
    throw;
  }
}

}  // namespace sae
