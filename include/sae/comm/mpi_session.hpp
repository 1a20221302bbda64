#pragma once

#include <string>

namespace sae {

/// Initializes and finalizes MPI. Exactly one per process, made first in main.
/// Collective: constructor and, unless an exception is in flight, destructor.
class MpiSession {
 public:
  /// Throws: CommunicationError, also if MPI does not support MPI_THREAD_FUNNELED.
  MpiSession(int& argc, char**& argv);
  /// Finalizes MPI. During unwinding aborts the job instead: MPI_Finalize would wait for ranks that
  /// never call it.
  ~MpiSession();
  MpiSession(const MpiSession&) = delete;
  MpiSession& operator=(const MpiSession&) = delete;

  /// Makes this process exit a moment after the others.
  void leave_last() { leaves_last_ = true; }

  /// Ends all ranks of the job with this exit code. Local.
  [[noreturn]] static void abort(int exit_code);

  /// Name and version of the MPI library, on one line.
  static std::string library_version();

 private:
  bool leaves_last_ = false;
};

}  // namespace sae
