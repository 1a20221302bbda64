#pragma once

#include <string>

namespace sae {

/// Starts MPI and ends it. Exactly one per process, made first in main.
/// Collective: constructor and, unless an exception is in flight, destructor.
class MpiSession {
 public:
  /// Throws: CommunicationError, also where MPI allows no threads beside the one that calls it.
  MpiSession(int& argc, char**& argv);
  /// Finalizes MPI; during unwinding it ends the whole job instead, because to
  /// finalize would wait for ranks that are elsewhere.
  ~MpiSession();
  MpiSession(const MpiSession&) = delete;
  MpiSession& operator=(const MpiSession&) = delete;

  /// Lets this process end a moment after the others.
  void leave_last() { leaves_last_ = true; }

  /// Ends all ranks of the job with this exit code. Local.
  [[noreturn]] static void abort(int exit_code);

  /// The MPI library and its version, on one line.
  static std::string library_version();

 private:
  bool leaves_last_ = false;
};

}  // namespace sae
