#pragma once

namespace sae {

/// Throws: CommunicationError with the call and MPI's description, unless `code` is MPI_SUCCESS.
void check_mpi(int code, const char* call);

}  // namespace sae
