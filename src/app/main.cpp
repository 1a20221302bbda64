#include <cerrno>
#include <cstdio>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "program.hpp"
#include "sae/comm/launch.hpp"
#include "sae/comm/mpi_communicator.hpp"
#include "sae/comm/mpi_session.hpp"
#include "sae/comm/self_communicator.hpp"
#include "sae/comm/stop_signal.hpp"
#include "sae/comm/watchdog.hpp"
#include "sae/data/dataset_file.hpp"
#include "sae/kernels/products.hpp"

int main(int argc, char** argv) {
  using namespace sae;
  // Internal commands: what packages install, and the trial process of a data set.
  constexpr std::string_view kTryDataset = "try-dataset";
  if (argc == 3 && argv[1] == std::string_view("generate")) return print_shell_file(argv[2]);
  if (argc == 3 && argv[1] == kTryDataset) run_dataset_trial(argv[2]);
  start_dataset_trials_by(std::string(kTryDataset));
  ignore_signals_of_writes();
  const std::vector<std::string> arguments(argv + 1, argv + argc);
  // Watches the start. Each command then makes its own watchdog.
  std::optional<Watchdog> watchdog(std::in_place, launched_rank(),
                                   std::chrono::duration<double>(stall_timeout_of(arguments)),
                                   std::vector<std::string>{"start"});
  watchdog->heartbeat().enter(Phase::kExchange);
  watchdog->heartbeat().begin_stage(0);
  const std::string fault = singleton_fault();
  std::unique_ptr<Communicator> comm = std::make_unique<SelfCommunicator>();
  std::optional<MpiSession> session;
  try {
    session.emplace(argc, argv);
    auto world = std::make_unique<MpiCommunicator>();
    if (world->size() > 1) comm = std::move(world);
    set_product_threads(1);
    const auto command = parse_arguments(arguments, *comm);
    // All ranks parse the same arguments, so all return here.
    if (!command) return static_cast<int>(ExitCode::kUsage);
    watchdog.reset();
    const ExitCode code = run_command(*command, *comm, fault);
    // Standard output matters to all commands but `train`, whose results are in files.
    if (!std::holds_alternative<TrainOptions>(*command) && std::fflush(stdout) != 0) {
      throw std::system_error(errno, std::system_category());
    }
    // Launchers end the job at the first exit code other than 0. One rank returns it, the last.
    if (code == ExitCode::kStopped && !comm->is_root()) return 0;
    if (code != ExitCode::kDone) session->leave_last();
    return static_cast<int>(code);
  } catch (...) {
    return end_by_exception(*comm);
  }
}
