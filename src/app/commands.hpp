#pragma once

#include "options.hpp"
#include "sae/comm/communicator.hpp"
#include "sae/core/error.hpp"

namespace sae {

// The commands. All are collective; rank 0 prints.
// Throws: Error of every kind but UsageError.

/// kDone, or kStopped if it was asked to stop before its end. `fault`: what is wrong with how the
/// ranks were started; empty if nothing is.
ExitCode run_train(const TrainOptions& options, Communicator& comm, const std::string& fault);
void run_bench_command(const BenchOptions& options, Communicator& comm);
void run_evaluate(const EvaluateOptions& options, Communicator& comm);
/// kDone, or kStopped if it was asked to stop before its end.
ExitCode run_inference(const InferenceOptions& options, Communicator& comm);
void run_import(const ImportCommandOptions& options, Communicator& comm);
/// kDone, or kInternal if something will not work. `fault`: as of run_train.
ExitCode run_doctor(const DoctorOptions& options, Communicator& comm, const std::string& fault);
void run_report(const ReportOptions& options, Communicator& comm);
void run_inspect(const InspectOptions& options, Communicator& comm);

}  // namespace sae
