#pragma once

#include <mpi.h>

#include "sae/comm/mpi_communicator.hpp"

namespace sae {

struct MpiCommunicator::Handle {
  MPI_Comm communicator = MPI_COMM_NULL;
};

}  // namespace sae
