#pragma once

#include <chrono>
#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "sae/comm/communicator.hpp"
#include "sae/comm/heartbeat.hpp"
#include "sae/comm/node_memory.hpp"

namespace sae {

/// Ends the job when a rank has made no progress for too long: a lost or stopped rank leaves the
/// others waiting in MPI for ever. Each rank's thread then prints where its rank stands, and the
/// first answering one of a node speaks for those that do not answer; then the rank leaves with
/// ExitCode::kInternal, at which mpirun and srun end the rest. Time that this process slept as a
/// whole, by SIGSTOP say, does not count; time that others sleep does.
class Watchdog {
 public:
  using Clock = std::chrono::steady_clock;

  /// Watches from now on. Collective: the heartbeats of a node share memory.
  /// `stage_names` are for the message, by index of the stage; `last_words` is called with it in
  /// the watchdog's thread before this rank leaves, and must neither wait nor throw.
  Watchdog(Communicator& comm, std::chrono::duration<double> stall_timeout,
           std::vector<std::string> stage_names,
           std::function<void(const std::string&)> last_words = {});
  /// The same without the other ranks of the node, such as before MPI has started. Local.
  Watchdog(int rank, std::chrono::duration<double> stall_timeout,
           std::vector<std::string> stage_names,
           std::function<void(const std::string&)> last_words = {});
  /// Stops watching. Local.
  ~Watchdog();
  Watchdog(const Watchdog&) = delete;
  Watchdog& operator=(const Watchdog&) = delete;

  /// This rank's own, to be kept beating. Watching begins with its first beat.
  Heartbeat& heartbeat() { return *own_; }

 private:
  void begin(int rank);
  void watch();
  bool stalled() const;

  std::chrono::duration<double> timeout_;
  std::vector<std::string> stage_names_;
  std::function<void(const std::string&)> last_words_;
  std::unique_ptr<NodeMemory> memory_;
  std::unique_ptr<Heartbeat> alone_;       // Of a process without MPI.
  std::vector<const Heartbeat*> of_node_;  // Of all ranks of this node.
  Heartbeat* own_ = nullptr;
  std::mutex mutex_;
  std::condition_variable ending_;
  bool end_ = false;
  std::thread thread_;
};

}  // namespace sae
