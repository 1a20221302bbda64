#include <fmt/chrono.h>
#include <fmt/format.h>

#include <cstdio>
#include <ctime>
#include <memory>
#include <system_error>

#include "commands.hpp"
#include "sae/comm/mpi_session.hpp"
#include "sae/kernels/products.hpp"
#include "sae/monitor/console.hpp"
#include "sae/monitor/observer_list.hpp"
#include "sae/monitor/run_log.hpp"
#include "sae/monitor/terminal.hpp"
#include "sae/train/trainer.hpp"
#include "search.hpp"
#include "version.hpp"

namespace sae {
namespace {

/// A folder that is not there yet, named after the time.
std::filesystem::path new_run_folder() {
  const auto stem = std::filesystem::path("runs") /
                    fmt::format("{:%Y-%m-%d-%H%M%S}", fmt::localtime(std::time(nullptr)));
  auto folder = stem;
  std::error_code ignored;  // Where nothing can be seen, making the folder says why.
  for (int i = 2; std::filesystem::exists(folder, ignored); ++i) {
    folder = fmt::format("{}-{}", stem.string(), i);
  }
  return folder;
}

}  // namespace

void run_train(const TrainOptions& options, Communicator& comm) {
  Configuration configuration = options.configuration;
  configuration.data = find_dataset(configuration.data, comm);
  // Rank 0 alone writes, so the others need not know the name.
  if (configuration.run.empty() && comm.is_root()) configuration.run = new_run_folder();

  ObserverList observers;
  const std::string libraries = fmt::format("sae_dist {}, {}, {}", kVersion,
                                            MpiSession::library_version(), kernel_description());
  if (comm.is_root()) {
    if (!options.quiet) {
      int columns = options.progress == "bar" ? 100 : 0;
      if (options.progress != "lines") columns = terminal_columns().value_or(columns);
      observers.add(std::make_unique<Console>(configuration, libraries, columns, stdout));
    }
    observers.add(std::make_unique<RunLog>(RunFolder(configuration.run), configuration, libraries));
  }
  DistributedDataset dataset(configuration.data, configuration.data_access, comm);
  Trainer(configuration, dataset, comm, observers).run();
}

}  // namespace sae
