#pragma once

#include "options.hpp"
#include "sae/comm/communicator.hpp"

namespace sae {

// The commands. All are collective; rank 0 prints.
// Throws: Error of every kind but UsageError.

void run_train(const TrainOptions& options, Communicator& comm);
void run_evaluate(const EvaluateOptions& options, Communicator& comm);
void run_import(const ImportCommandOptions& options, Communicator& comm);
void run_inspect(const InspectOptions& options, Communicator& comm);

}  // namespace sae
