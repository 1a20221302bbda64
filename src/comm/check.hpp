#pragma once

namespace sae {

/// Throws: CommunicationError naming the call and MPI's own description, unless `code` is success.
void check_mpi(int code, const char* call);

}  // namespace sae
