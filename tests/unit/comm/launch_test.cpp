#include "sae/comm/launch.hpp"

#include <gtest/gtest.h>

#include <cstdlib>
#include <map>
#include <string>

namespace sae {
namespace {

constexpr const char* kVariables[] = {
    "OMPI_COMM_WORLD_RANK", "OMPI_COMM_WORLD_SIZE", "PMIX_RANK",    "PMI_RANK",
    "SLURM_PROCID",         "SLURM_STEP_NUM_TASKS", "SLURM_NTASKS", "SLURM_STEP_ID"};

struct Launch : testing::Test {
  void SetUp() override { set({}); }
  void TearDown() override { set({}); }
  /// These variables of launchers, and no others.
  static void set(const std::map<std::string, const char*>& given) {
    for (const char* variable : kVariables) unsetenv(variable);
    for (const auto& [name, value] : given) setenv(name.c_str(), value, 1);
  }
};

TEST_F(Launch, RankIsThatOfMpiOrOfSlurm) {
  EXPECT_EQ(launched_rank(), 0);
  set({{"SLURM_PROCID", "5"}});
  EXPECT_EQ(launched_rank(), 5);
  set({{"SLURM_PROCID", "1"}, {"OMPI_COMM_WORLD_RANK", "3"}});  // mpirun's daemon is Slurm's task.
  EXPECT_EQ(launched_rank(), 3);
}

TEST_F(Launch, TasksOfSlurmWithoutPmiAreLonely) {
  set({{"SLURM_STEP_NUM_TASKS", "4"}, {"SLURM_PROCID", "1"}});
  EXPECT_NE(singleton_fault().find("Slurm started 4 tasks"), std::string::npos);
  EXPECT_NE(singleton_fault().find("srun --mpi=pmix"), std::string::npos);
  set({{"SLURM_NTASKS", "3"}, {"SLURM_STEP_ID", "0"}});
  EXPECT_NE(singleton_fault().find("Slurm started 3 tasks"), std::string::npos);
}

TEST_F(Launch, TasksThatKnowOfEachOtherAreNotLonely) {
  set({{"SLURM_STEP_NUM_TASKS", "4"}, {"PMIX_RANK", "0"}});
  EXPECT_EQ(singleton_fault(), "");
  // mpirun -np 1 within a job.
  set({{"SLURM_STEP_NUM_TASKS", "2"}, {"OMPI_COMM_WORLD_SIZE", "1"}});
  EXPECT_EQ(singleton_fault(), "");
}

TEST_F(Launch, OneProcessIsNotLonely) {
  EXPECT_EQ(singleton_fault(), "");
  set({{"SLURM_STEP_NUM_TASKS", "1"}});
  EXPECT_EQ(singleton_fault(), "");
  set({{"SLURM_NTASKS", "8"}});  // In a batch script.
  EXPECT_EQ(singleton_fault(), "");
}

}  // namespace
}  // namespace sae
