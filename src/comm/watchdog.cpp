#include "sae/comm/watchdog.hpp"

#include <unistd.h>

#include <algorithm>
#include <new>

#include "sae/core/error.hpp"
#include "sae/core/print.hpp"
#include "stall_report.hpp"

namespace sae {
namespace {

constexpr std::chrono::milliseconds kLook{100};
/// Time between printing and exiting, for the other ranks to print theirs.
constexpr std::chrono::milliseconds kLastWords{700};

}  // namespace

std::string_view name_of(Phase phase) {
  switch (phase) {
    case Phase::kStart:
      return "start";
    case Phase::kFile:
      return "file";
    case Phase::kExchange:
      return "exchange";
    case Phase::kReduction:
      return "reduction";
    case Phase::kCompute:
      return "compute";
  }
  return "unknown";
}

void Heartbeat::beat() {
  last_progress.store(steady_nanoseconds(), std::memory_order_relaxed);
  idle.store(false, std::memory_order_relaxed);
}

void Heartbeat::discount(std::int64_t nanoseconds) {
  std::int64_t before = last_progress;
  // A beat in the meantime is from now: it needs no discount.
  while (!last_progress.compare_exchange_weak(
      before, std::min(before + nanoseconds, steady_nanoseconds()))) {
  }
}

Watchdog::Watchdog(Communicator& comm, std::chrono::duration<double> stall_timeout,
                   std::vector<std::string> stage_names,
                   std::function<void(const std::string&)> last_words)
    : timeout_(stall_timeout),
      stage_names_(std::move(stage_names)),
      last_words_(std::move(last_words)) {
  memory_ = comm.share_memory(sizeof(Heartbeat));
  own_ = new (memory_->segment(memory_->node_rank())) Heartbeat;
  own_->rank = comm.rank();
  comm.barrier();  // All heartbeats of the node exist.
  for (int r = 0; r < memory_->node_size(); ++r) {
    of_node_.push_back(std::launder(reinterpret_cast<Heartbeat*>(memory_->segment(r))));
  }
  begin(comm.rank());
}

Watchdog::Watchdog(int rank, std::chrono::duration<double> stall_timeout,
                   std::vector<std::string> stage_names,
                   std::function<void(const std::string&)> last_words)
    : timeout_(stall_timeout),
      stage_names_(std::move(stage_names)),
      last_words_(std::move(last_words)) {
  begin(rank);
}

void Watchdog::begin(int rank) {
  if (own_ == nullptr) {
    alone_ = std::make_unique<Heartbeat>();
    own_ = alone_.get();
    of_node_ = {own_};
  }
  own_->rank = rank;
  thread_ = std::thread([this] { watch(); });
}

Watchdog::~Watchdog() {
  own_->idle = true;
  {
    const std::lock_guard lock(mutex_);
    end_ = true;
  }
  ending_.notify_all();
  thread_.join();
}

void Watchdog::watch() {
  std::unique_lock lock(mutex_);
  own_->last_watched = steady_nanoseconds();
  while (!ending_.wait_for(lock, kLook, [this] { return end_; })) {
    const std::int64_t now = steady_nanoseconds();
    if (const std::int64_t slept = slept_between(own_->last_watched, now); slept > 0)
      own_->discount(slept);
    own_->last_watched = now;
    if (!stalled()) continue;
    const std::string text = stall_report(*own_, of_node_, stage_names_, now);
    print_to(stderr, text);
    if (last_words_) last_words_(text.substr(0, text.find('\n')));
    std::this_thread::sleep_for(kLastWords);
    // Not MPI_Abort: the training thread is inside MPI, which allows no second thread.
    _exit(static_cast<int>(ExitCode::kInternal));
  }
}

bool Watchdog::stalled() const {
  const std::chrono::nanoseconds still(steady_nanoseconds() - own_->last_progress);
  return !own_->idle && still > timeout_;
}

}  // namespace sae
