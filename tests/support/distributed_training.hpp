#pragma once

#include <gtest/gtest.h>

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
};

}  // namespace sae
