#pragma once

#include "options.hpp"
#include "sae/comm/communicator.hpp"
#include "sae/core/error.hpp"

namespace sae {

// The commands. All are collective; rank 0 prints.
// Throws: Error of every kind but UsageError.

/// Returns kDone, or kStopped if asked to stop. `fault` says what is wrong with how the ranks were
/// started, else is empty.
ExitCode run_train(const TrainOptions& options, Communicator& comm, const std::string& fault);
void run_bench_command(const BenchOptions& options, Communicator& comm);
void run_evaluate(const EvaluateOptions& options, Communicator& comm);
/// Returns kDone, or kStopped if asked to stop.
ExitCode run_inference(const InferenceOptions& options, Communicator& comm);
void run_export(const ExportOptions& options, Communicator& comm);
void run_import(const ImportCommandOptions& options, Communicator& comm);
/// Returns kDone, or kInternal if there is a problem. `fault` as in run_train.
ExitCode run_doctor(const DoctorOptions& options, Communicator& comm, const std::string& fault);
void run_report(const ReportOptions& options, Communicator& comm);
void run_inspect(const InspectOptions& options, Communicator& comm);

}  // namespace sae
