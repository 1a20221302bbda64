#include "sae/comm/mpi_session.hpp"

#include <fmt/format.h>
#include <mpi.h>

#include <array>
#include <chrono>
#include <cstdlib>
#include <exception>
#include <thread>

#include "check.hpp"
#include "sae/comm/communicator.hpp"

namespace sae {

void check_mpi(int code, const char* call) {
  if (code == MPI_SUCCESS) return;
  std::array<char, MPI_MAX_ERROR_STRING> text{};
  int length = 0;
  MPI_Error_string(code, text.data(), &length);
  throw CommunicationError(fmt::format("{} failed: {}.", call, text.data()));
}

MpiSession::MpiSession(int& argc, char**& argv) {
  // Waiting ranks yield their core to computing ones. By default Open MPI does so only if it knows
  // that ranks share cores, not on a busy machine. The user's setting wins.
  setenv("OMPI_MCA_mpi_yield_when_idle", "1", 0);
  int provided = MPI_THREAD_SINGLE;
  check_mpi(MPI_Init_thread(&argc, &argv, MPI_THREAD_FUNNELED, &provided), "MPI_Init_thread");
  if (provided < MPI_THREAD_FUNNELED) {
    throw CommunicationError(
        fmt::format("MPI_Init_thread gives {} no threads beside MPI's (level {}, not {}); use an "
                    "MPI library that was built with threads.",
                    library_version(), provided, MPI_THREAD_FUNNELED));
  }
}

MpiSession::~MpiSession() {
  // A last resort: main catches and prints what it can.
  if (std::uncaught_exceptions() > 0) abort(static_cast<int>(ExitCode::kInternal));
  MPI_Finalize();
  // At the first exit code other than 0 mpirun ends the job and stops answering ranks in
  // MPI_Finalize, which then wait two seconds. Give all ranks time to pass it.
  std::this_thread::sleep_for(std::chrono::milliseconds(leaves_last_ ? 200 : 50));
}

void MpiSession::abort(int exit_code) {
  MPI_Abort(MPI_COMM_WORLD, exit_code);
  std::_Exit(exit_code);
}

std::string MpiSession::library_version() {
  std::array<char, MPI_MAX_LIBRARY_VERSION_STRING> text{};
  int length = 0;
  check_mpi(MPI_Get_library_version(text.data(), &length), "MPI_Get_library_version");
  const std::string whole(text.data(), static_cast<std::size_t>(length));
  return whole.substr(0, whole.find(','));
}

}  // namespace sae
