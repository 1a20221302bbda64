#include "sae/comm/watchdog.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <new>

#include "sae/comm/mpi_communicator.hpp"
#include "sae/core/error.hpp"
#include "sae/core/host.hpp"
#include "sae/core/print.hpp"

namespace sae {
namespace {

constexpr std::chrono::milliseconds kLook{100};
/// A watchdog that has not looked for so long belongs to a process that is stopped or gone.
constexpr double kSilentSeconds = 1.5;
/// Between the messages and the end: the other ranks have theirs to say.
constexpr std::chrono::milliseconds kLastWords{700};

std::int64_t now_nanoseconds() {
  return std::chrono::steady_clock::now().time_since_epoch().count();
}

double seconds_since(std::int64_t nanoseconds) {
  return static_cast<double>(now_nanoseconds() - nanoseconds) * 1e-9;
}

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
  moved.store(now_nanoseconds(), std::memory_order_relaxed);
  idle.store(false, std::memory_order_relaxed);
}

Watchdog::Watchdog(Communicator& comm, std::chrono::duration<double> stall_timeout,
                   std::vector<std::string> stage_names,
                   std::function<void(const std::string&)> last_words)
    : rank_(comm.rank()),
      timeout_(stall_timeout),
      stage_names_(std::move(stage_names)),
      last_words_(std::move(last_words)) {
  if (auto* mpi = dynamic_cast<MpiCommunicator*>(&comm)) {
    memory_ = std::make_unique<NodeMemory>(*mpi, sizeof(Row));
    own_row_ = new (memory_->part(memory_->node_rank())) Row;
    own_row_->rank = rank_;
    comm.barrier();  // All rows are made.
    for (int r = 0; r < memory_->node_size(); ++r) {
      rows_.push_back(std::launder(reinterpret_cast<Row*>(memory_->part(r))));
    }
  } else {
    alone_ = std::make_unique<Row>();
    own_row_ = alone_.get();
    rows_ = {own_row_};
  }
  own_ = &own_row_->heartbeat;
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
  while (!ending_.wait_for(lock, kLook, [this] { return end_; })) {
    own_->alive = now_nanoseconds();
    if (!stalled()) continue;
    const std::string text = report();
    print_to(stderr, text);
    if (last_words_) last_words_(text.substr(0, text.find('\n')));
    std::this_thread::sleep_for(kLastWords);
    // Not MPI_Abort: the training thread is inside MPI, which is not told of other threads.
    _exit(static_cast<int>(ExitCode::kInternal));
  }
}

bool Watchdog::stalled() const {
  return !own_->idle && seconds_since(own_->moved) > timeout_.count();
}

std::string Watchdog::describe(const Row& row) const {
  const Heartbeat& h = row.heartbeat;
  const auto stage = static_cast<std::size_t>(h.stage.load());
  const bool silent = seconds_since(h.alive) > kSilentSeconds;
  const Phase phase = h.phase;
  const char* state = silent                                                    ? "does not answer"
                      : phase == Phase::kExchange || phase == Phase::kReduction ? "waits for others"
                                                                                : "is busy";
  return fmt::format(
      "sae_dist [rank {}, {}]: no progress for {:.0f} s: stage {}, step {}, phase {}, {}.\n",
      row.rank.load(), host_name(), seconds_since(h.moved),
      stage < stage_names_.size() ? stage_names_[stage] : "none", h.step.load(), name_of(phase),
      state);
}

std::string Watchdog::report() const {
  std::string text = describe(*own_row_);
  const auto silent = [](const Row* row) {
    return seconds_since(row->heartbeat.alive) > kSilentSeconds;
  };
  for (const Row* row : rows_) {
    if (silent(row)) continue;
    if (row != own_row_) return text;  // Another one speaks for the silent.
    break;
  }
  for (const Row* row : rows_) {
    if (silent(row)) text += describe(*row);
  }
  return text;
}

}  // namespace sae
