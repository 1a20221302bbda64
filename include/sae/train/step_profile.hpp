#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "sae/comm/communicator.hpp"
#include "sae/run/run_folder.hpp"

namespace sae {

/// Parts of a stage's time. In a reproducible run kObjective includes the sums over ranks.
enum class ProfiledPart : std::uint32_t {
  kData,         ///< Fetching the next minibatch, including waits.
  kObjective,    ///< Loss and gradient of the local batch.
  kReduction,    ///< Waits for other ranks and sums over them.
  kUpdate,       ///< Updates of the parameters.
  kBetweenSteps  ///< Evaluation after an epoch, copies for checkpoints, encoding of cached codes.
};
inline constexpr std::size_t kProfiledParts = 5;
using PartSeconds = std::array<double, kProfiledParts>;  ///< By ProfiledPart.

/// "data", "objective", "reduction", "update" or "checkpoint_and_evaluation".
std::string_view name_of(ProfiledPart part);

/// Profile of this rank: the time of each part, summed by stage, and a trace of the first steps of
/// each stage. Kept in memory; only the constructor and write() communicate.
class StepProfile {
 public:
  using Clock = std::chrono::steady_clock;
  static constexpr Index kTracedSteps = 200;  ///< Of each stage.

  /// Starts the trace at a barrier, which aligns the clocks of hosts to about a millisecond; the
  /// ranks of a host share its clock. Collective.
  StepProfile(std::vector<std::string> stage_names, Communicator& comm);

  /// Attributes time to this stage until end_stage. A stage may begin again.
  void begin_stage(std::size_t stage);
  void end_stage();
  void add(ProfiledPart part, Clock::time_point begin, Clock::time_point end);
  void end_step() { ++sums_[stage_].steps; }

  /// Writes profile.json and trace.json (for chrome://tracing and Perfetto, one row per rank) into
  /// the run's folder.
  /// Collective: rank 0 collects and writes. Throws: OutputError.
  void write(const RunFolder& folder, Communicator& comm) const;

 private:
  struct StageSums {
    PartSeconds seconds{};
    double total_seconds = 0;  ///< Includes time of no part.
    std::int64_t steps = 0;
  };
  struct Event {
    std::int64_t begin = 0;  ///< Nanoseconds after the start of the trace.
    std::int64_t duration = 0;
    std::int64_t step = 0;  ///< The current or next step of the stage in this session, from 0.
    std::uint32_t stage = 0;
    ProfiledPart part{};
  };

  static std::string sums_text(const std::vector<std::string>& stage_names,
                               const std::vector<std::vector<StageSums>>& sums_by_rank);
  std::string trace_text(const std::vector<std::vector<Event>>& events_by_rank) const;

  std::vector<std::string> stage_names_;
  std::vector<std::string> hosts_;  ///< By rank.
  Clock::time_point origin_;
  std::size_t stage_ = 0;
  Clock::time_point stage_begin_;
  std::vector<StageSums> sums_;  ///< By stage.
  std::vector<Event> events_;
};

/// Time of this rank by part since the last report; forwarded to a profile.
class PartTimes {
 public:
  using Clock = StepProfile::Clock;

  /// `profile` may be null, and must outlive it.
  explicit PartTimes(StepProfile* profile) : profile_(profile) {}

  void add(ProfiledPart part, Clock::time_point begin, Clock::time_point end);
  /// Adds a step from `begin` to `end` whose gradient was ready at `computed`. Counts all waits as
  /// kReduction before the update, where most of them are.
  void add_step(Clock::time_point begin, Clock::time_point computed, Clock::time_point end,
                Clock::duration update);
  /// Returns the times since the last call.
  PartSeconds take() { return std::exchange(seconds_, {}); }

 private:
  StepProfile* profile_;
  PartSeconds seconds_{};
};

/// Adds the duration of a scope to a part.
class PartScope {
 public:
  PartScope(PartTimes& times, ProfiledPart part) : times_(times), part_(part) {}
  ~PartScope() { times_.add(part_, begin_, PartTimes::Clock::now()); }
  PartScope(const PartScope&) = delete;
  PartScope& operator=(const PartScope&) = delete;

 private:
  PartTimes& times_;
  ProfiledPart part_;
  PartTimes::Clock::time_point begin_ = PartTimes::Clock::now();
};

}  // namespace sae
