#include "program.hpp"

#include <fmt/format.h>

#include <cstdio>
#include <exception>
#include <system_error>
#include <variant>

#include "sae/averaging/reproducible_sum.hpp"
#include "sae/comm/mpi_session.hpp"
#include "sae/core/error.hpp"
#include "sae/core/host.hpp"
#include "sae/core/print.hpp"
#include "sae/train/stage.hpp"
#include "sae/train/step_profile.hpp"
#include "search.hpp"
#include "shell_files.hpp"

namespace sae {
namespace {

/// Runs each kind of command.
struct CommandRunner {
  Communicator& comm;
  const std::string& fault;

  ExitCode operator()(const ShowText& show) const {
    if (comm.is_root()) fmt::print("{}", show.text);
    return ExitCode::kDone;
  }
  ExitCode operator()(const TrainOptions& train) const {
    if (!train.profile) return run_train(train, comm, fault);
    TrainOptions options = train;
    StepProfile profile(stage_names(options.configuration), comm);
    options.control.profile = &profile;
    return run_train(options, comm, fault);
  }
  ExitCode operator()(const InferenceOptions& options) const {
    return run_inference(options, comm);
  }
  ExitCode operator()(const DoctorOptions& options) const {
    return run_doctor(options, comm, fault);
  }
  ExitCode operator()(const EvaluateOptions& o) const { return done(run_evaluate, o); }
  ExitCode operator()(const ExportOptions& o) const { return done(run_export, o); }
  ExitCode operator()(const ImportCommandOptions& o) const { return done(run_import, o); }
  ExitCode operator()(const InspectOptions& o) const { return done(run_inspect, o); }
  ExitCode operator()(const BenchOptions& o) const { return done(run_bench_command, o); }
  ExitCode operator()(const ReportOptions& o) const { return done(run_report, o); }

 private:
  template <typename Options>
  ExitCode done(void (*run)(const Options&, Communicator&), const Options& options) const {
    run(options, comm);
    return ExitCode::kDone;
  }
};

int fail(const Communicator& comm, const std::string& text, ExitCode code) {
  print_to(stderr, fmt::format("sae_dist [rank {}, {}]: {}\n", comm.rank(), host_name(), text));
  std::fflush(nullptr);
  if (comm.size() > 1) MpiSession::abort(static_cast<int>(code));
  return static_cast<int>(code);
}

}  // namespace

int print_shell_file(const std::string& kind) {
  try {
    fmt::print("{}", shell_file(kind));
    return std::fflush(stdout) == 0 ? 0 : static_cast<int>(ExitCode::kOutput);
  } catch (const UsageError& error) {
    print_to(stderr, fmt::format("sae_dist: {}\n", error.what()));
    return static_cast<int>(error.code());
  } catch (const std::system_error&) {  // Thrown by fmt::print.
    return static_cast<int>(ExitCode::kOutput);
  }
}

std::optional<Command> parse_arguments(const std::vector<std::string>& arguments,
                                       Communicator& comm) {
  const FileTexts files = {
      .configuration = [&comm](const auto& file) { return read_text(file, comm); },
      .recipe = [&comm](const auto& name) { return read_recipe(name, comm); },
      .environment_names_data = [&comm] { return environment_names_data(comm); }};
  try {
    Command command = parse_command_line(arguments, files);
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

ExitCode run_command(const Command& command, Communicator& comm, const std::string& fault) {
  return std::visit(CommandRunner{comm, fault}, command);
}

int end_by_exception(const Communicator& comm) {
  try {
    throw;
  } catch (const DivergedError& error) {
    // All ranks throw it in the same step.
    if (comm.is_root()) print_to(stderr, fmt::format("sae_dist: {}\n", error.what()));
    return static_cast<int>(error.code());
  } catch (const std::system_error& error) {  // Thrown by fmt::print.
    return fail(comm, fmt::format("Cannot write standard output: {}.", error.code().message()),
                ExitCode::kOutput);
  } catch (const std::exception& error) {
    return fail(comm, sentence_of(error), code_of(error));
  }
}

}  // namespace sae
