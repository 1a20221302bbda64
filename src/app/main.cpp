#include <fmt/format.h>

#include <cerrno>
#include <chrono>
#include <cstdio>
#include <exception>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

#include "commands.hpp"
#include "sae/averaging/reproducible_sum.hpp"
#include "sae/comm/launch.hpp"
#include "sae/comm/mpi_communicator.hpp"
#include "sae/comm/mpi_session.hpp"
#include "sae/comm/self_communicator.hpp"
#include "sae/comm/stop_signal.hpp"
#include "sae/comm/watchdog.hpp"
#include "sae/core/error.hpp"
#include "sae/core/host.hpp"
#include "sae/core/print.hpp"
#include "sae/data/dataset_file.hpp"
#include "sae/kernels/products.hpp"
#include "sae/train/stage.hpp"
#include "sae/train/step_profile.hpp"
#include "search.hpp"

namespace {

using namespace sae;

/// Not for users: what a trial process starts with.
constexpr std::string_view kTryDataset = "try-dataset";

ExitCode run(const Command& command, Communicator& comm, const std::string& fault) {
  if (const auto* help = std::get_if<ShowText>(&command)) {
    if (comm.is_root()) fmt::print("{}", help->text);
  } else if (const auto* train = std::get_if<TrainOptions>(&command)) {
    if (!train->profile) return run_train(*train, comm, fault);
    TrainOptions options = *train;
    StepProfile profile(stage_names(options.configuration), comm);
    options.control.profile = &profile;
    return run_train(options, comm, fault);
  } else if (const auto* bench = std::get_if<BenchOptions>(&command)) {
    run_bench_command(*bench, comm);
  } else if (const auto* evaluate = std::get_if<EvaluateOptions>(&command)) {
    run_evaluate(*evaluate, comm);
  } else if (const auto* inference = std::get_if<InferenceOptions>(&command)) {
    return run_inference(*inference, comm);
  } else if (const auto* import = std::get_if<ImportCommandOptions>(&command)) {
    run_import(*import, comm);
  } else if (const auto* doctor = std::get_if<DoctorOptions>(&command)) {
    return run_doctor(*doctor, comm, fault);
  } else if (const auto* inspect = std::get_if<InspectOptions>(&command)) {
    run_inspect(*inspect, comm);
  } else if (const auto* report = std::get_if<ReportOptions>(&command)) {
    run_report(*report, comm);
  }
  return ExitCode::kDone;
}

std::optional<Command> parse(int argc, char** argv, Communicator& comm) {
  const FileTexts files = {
      .configuration = [&comm](const auto& file) { return read_text(file, comm); },
      .recipe = [&comm](const auto& name) { return read_recipe(name, comm); }};
  try {
    Command command = parse_command_line({argv + 1, argv + argc}, files);
    const auto* train = std::get_if<TrainOptions>(&command);
    if (train != nullptr && train->configuration.reproducible &&
        !ReproducibleSum::possible(comm.size())) {
      throw UsageError(
          fmt::format("--reproducible needs 1, 2, 4, 8 or 16 ranks, not {}.", comm.size()));
    }
    return command;
  } catch (const UsageError& error) {
    if (comm.is_root()) print_to(stderr, fmt::format("sae_dist: {}\n", error.what()));
    return std::nullopt;
  }
}

/// Says what went wrong, and ends all ranks: one that returned normally would leave the others
/// waiting. A rank that is alone returns.
int fail(const Communicator& comm, const std::string& text, ExitCode code) {
  print_to(stderr, fmt::format("sae_dist [rank {}, {}]: {}\n", comm.rank(), host_name(), text));
  std::fflush(nullptr);
  if (comm.size() > 1) MpiSession::abort(static_cast<int>(code));
  return static_cast<int>(code);
}

}  // namespace

int main(int argc, char** argv) {
  if (argc == 3 && argv[1] == kTryDataset) run_dataset_trial(argv[2]);
  start_dataset_trials_by(std::string(kTryDataset));
  ignore_signals_of_writes();
  // It watches the start. Each command then makes a watchdog that knows its progress.
  std::optional<Watchdog> watchdog(
      std::in_place, launched_rank(),
      std::chrono::duration<double>(stall_timeout_of({argv + 1, argv + argc})),
      std::vector<std::string>{"start"});
  watchdog->heartbeat().enter(Phase::kExchange);
  watchdog->heartbeat().begin_stage(0);
  const std::string fault = lonely_tasks();
  std::unique_ptr<Communicator> comm = std::make_unique<SelfCommunicator>();
  std::optional<MpiSession> session;
  try {
    session.emplace(argc, argv);
  } catch (const Error& error) {
    return fail(*comm, error.what(), error.code());
  }
  try {
    auto world = std::make_unique<MpiCommunicator>();
    if (world->size() > 1) comm = std::move(world);
    set_product_threads(1);
    const auto command = parse(argc, argv, *comm);
    // The same arguments on every rank: all leave here.
    if (!command) return static_cast<int>(ExitCode::kUsage);
    watchdog.reset();
    const ExitCode code = run(*command, *comm, fault);
    // A run that is trained is none the worse for what it could not print.
    if (!std::holds_alternative<TrainOptions>(*command) && std::fflush(stdout) != 0) {
      throw OutputError(
          fmt::format("Cannot write standard output: {}.", std::system_category().message(errno)));
    }
    // Launchers end the other ranks at the first code that is not 0: one rank tells it, the last.
    if (code == ExitCode::kStopped && !comm->is_root()) return 0;
    if (code != ExitCode::kDone) session->leave_last();
    return static_cast<int>(code);
  } catch (const DivergedError& error) {
    // Found by all ranks in the same step: all leave here.
    if (comm->is_root()) print_to(stderr, fmt::format("sae_dist: {}\n", error.what()));
    return static_cast<int>(error.code());
  } catch (const std::system_error& error) {  // By fmt::print.
    return fail(*comm, fmt::format("Cannot write standard output: {}.", error.code().message()),
                ExitCode::kOutput);
  } catch (const std::exception& error) {
    return fail(*comm, sentence_of(error), code_of(error));
  }
}
