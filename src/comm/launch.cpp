#include "sae/comm/launch.hpp"

#include <fmt/format.h>

#include <cstdlib>

namespace sae {
namespace {

int number_of(const char* variable) {
  const char* text = std::getenv(variable);
  return text == nullptr ? 0 : std::atoi(text);
}

bool is_set(const char* variable) { return std::getenv(variable) != nullptr; }

}  // namespace

int launched_rank() {
  for (const char* variable : {"OMPI_COMM_WORLD_RANK", "PMIX_RANK", "PMI_RANK", "SLURM_PROCID"}) {
    if (is_set(variable)) return number_of(variable);
  }
  return 0;
}

std::string singleton_fault() {
  for (const char* variable : {"OMPI_COMM_WORLD_SIZE", "PMIX_RANK", "PMI_RANK"}) {
    if (is_set(variable)) return {};  // MPI will connect the tasks.
  }
  const bool of_step = is_set("SLURM_STEP_NUM_TASKS");
  if (!of_step && !is_set("SLURM_STEP_ID")) return {};  // A batch script starts one process.
  const int tasks = number_of(of_step ? "SLURM_STEP_NUM_TASKS" : "SLURM_NTASKS");
  if (tasks <= 1) return {};
  return fmt::format(
      "Slurm started {} tasks, but MPI knows of one: each of them trains a whole run. Start "
      "with 'srun --mpi=pmix' ('srun --mpi=list' shows what there is), or with mpirun",
      tasks);
}

}  // namespace sae
