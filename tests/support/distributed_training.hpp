#pragma once

#include <gtest/gtest.h>

#include <limits>
#include <string>

#include "sae/comm/mpi_communicator.hpp"
#include "sae/comm/self_communicator.hpp"
#include "support/shared_directory.hpp"
#include "support/tiny_training.hpp"

namespace sae {

struct DistributedTraining : testing::Test {
  MpiCommunicator comm;
  SharedDirectory folder{comm};
  TinyDataset tiny;
  Configuration configuration =
      tiny_configuration(folder.path() / "tiny.h5", folder.path() / "run");

  void SetUp() override {
    if (comm.is_root()) tiny.write(configuration.data);
    comm.barrier();
  }
  void TearDown() override { comm.barrier(); }

  /// The same run by one process alone, with a folder for each rank.
  TinyRun alone() {
    SelfCommunicator self;
    Configuration own = configuration;
    own.run += "-alone" + std::to_string(comm.rank());
    return train_tiny(own, self);
  }

  /// A NaN in the last rank's gradient of update `at`, counted from 0, ends all where it says.
  void expect_all_end_by_nan(Index at, const std::string& where) {
    RunControl control;
    control.gradient_hook = [this, at](Index step, Range part, std::span<float> gradient) {
      if (step == at && part.begin == 0 && comm.rank() == comm.size() - 1) {
        gradient[0] = std::numeric_limits<float>::quiet_NaN();
      }
    };
    try {
      train_tiny(configuration, comm, control);
      FAIL() << "not noticed";
    } catch (const DivergedError& error) {
      EXPECT_NE(std::string(error.what()).find(where), std::string::npos) << error.what();
    }
  }
};

}  // namespace sae
