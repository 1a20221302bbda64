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

/// Ends the job if a rank makes no progress for too long; otherwise a lost or stopped rank leaves
/// the others waiting in MPI for ever. Each rank's watchdog thread prints the state of its rank;
/// the first responsive rank of a node also prints the states of unresponsive ones. Then the
/// process exits with ExitCode::kInternal, and mpirun and srun end the rest. Time during which this
/// process was suspended, by SIGSTOP say, does not count; that of other processes does.
class Watchdog {
 public:
  using Clock = std::chrono::steady_clock;

  /// Starts watching. `stage_names`, by index of the stage, are for the message. Before exiting,
  /// the watchdog thread passes the message to `last_words`, which must neither wait nor throw.
  /// Collective: the heartbeats of a node are in shared memory.
  Watchdog(Communicator& comm, std::chrono::duration<double> stall_timeout,
           std::vector<std::string> stage_names,
           std::function<void(const std::string&)> last_words = {});
  /// Watches this rank only; works before MPI_Init. Local.
  Watchdog(int rank, std::chrono::duration<double> stall_timeout,
           std::vector<std::string> stage_names,
           std::function<void(const std::string&)> last_words = {});
  /// Stops watching. Local.
  ~Watchdog();
  Watchdog(const Watchdog&) = delete;
  Watchdog& operator=(const Watchdog&) = delete;

  /// This rank's heartbeat. Watching begins with its first beat().
  Heartbeat& heartbeat() { return *own_; }

 private:
  void begin(int rank);
  void watch();
  bool stalled() const;

  std::chrono::duration<double> timeout_;
  std::vector<std::string> stage_names_;
  std::function<void(const std::string&)> last_words_;
  std::unique_ptr<NodeMemory> memory_;
  std::unique_ptr<Heartbeat> alone_;       // Used without shared memory.
  std::vector<const Heartbeat*> of_node_;  // By rank of the node.
  Heartbeat* own_ = nullptr;
  std::mutex mutex_;
  std::condition_variable ending_;
  bool end_ = false;
  std::thread thread_;
};

}  // namespace sae
