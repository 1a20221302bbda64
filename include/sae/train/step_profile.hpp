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

/// What the time of a stage goes to. In a reproducible run kObjective holds its sums over ranks.
enum class ProfiledPart : std::uint32_t {
  kData,         ///< The next minibatch, with what it waits for.
  kObjective,    ///< Loss and gradient of this rank's part of it.
  kReduction,    ///< Waiting for the other ranks, and sums over them.
  kUpdate,       ///< Of the parameters.
  kBetweenSteps  ///< Evaluation after an epoch, copies for checkpoints, codes that are kept.
};
inline constexpr std::size_t kProfiledParts = 5;
using PartSeconds = std::array<double, kProfiledParts>;  ///< By ProfiledPart.

/// "data", "objective", "reduction", "update" or "checkpoint_and_evaluation".
std::string_view name_of(ProfiledPart part);

/// Where the time of a run goes on this rank: sums for each stage, and each part of the first
/// steps of each stage for a trace. Kept in memory; ranks meet only to make and to write it.
class StepProfile {
 public:
  using Clock = std::chrono::steady_clock;
  static constexpr Index kTracedSteps = 200;  ///< Of each stage.

  /// Collective: ends with a barrier, at which the trace begins. The ranks of a host share its
  /// clock; the clocks of hosts are aligned by the barrier, to about a millisecond.
  StepProfile(std::vector<std::string> stage_names, Communicator& comm);

  /// Time counts for this stage until end_stage; a stage may be entered again.
  void begin_stage(std::size_t stage);
  void end_stage();
  void add(ProfiledPart part, Clock::time_point begin, Clock::time_point end);
  void end_step() { ++sums_[stage_].steps; }

  /// Writes profile.json and trace.json (of chrome://tracing and Perfetto; one row for each rank)
  /// into the run's folder. Collective: rank 0 collects and writes. Throws: OutputError.
  void write(const RunFolder& folder, Communicator& comm) const;

 private:
  struct StageSums {
    PartSeconds seconds{};
    double total_seconds = 0;  ///< Of the stage, with what belongs to no part.
    std::int64_t steps = 0;
  };
  struct Event {
    std::int64_t begin = 0;  ///< Nanoseconds after the start of the trace.
    std::int64_t duration = 0;
    std::int64_t step = 0;  ///< Of the stage in this session, counted from 0; the one it is
                            ///< part of, or comes before.
    std::uint32_t stage = 0;
    ProfiledPart part{};
  };

  static std::string sums_text(const std::vector<std::string>& stage_names,
                               const std::vector<std::vector<StageSums>>& sums_by_rank);
  std::string trace_text(const std::vector<std::vector<Event>>& events_by_rank) const;

  std::vector<std::string> stage_names_;
  std::vector<std::string> hosts_;  ///< Of each rank.
  Clock::time_point origin_;
  std::size_t stage_ = 0;
  Clock::time_point stage_begin_;
  std::vector<StageSums> sums_;  ///< By stage.
  std::vector<Event> events_;
};

/// Where the time of this rank goes from one report to the next; passed on to a profile as well.
class PartTimes {
 public:
  using Clock = StepProfile::Clock;

  /// `profile` may be null, and must outlive it.
  explicit PartTimes(StepProfile* profile) : profile_(profile) {}

  void add(ProfiledPart part, Clock::time_point begin, Clock::time_point end);
  /// Adds a step that began at `begin`, had its gradient at `computed` and ends at `end`. All
  /// waiting of it counts as before the update, where most of it is.
  void add_step(Clock::time_point begin, Clock::time_point computed, Clock::time_point end,
                Clock::duration update);
  /// Since this was called last.
  PartSeconds take() { return std::exchange(seconds_, {}); }

 private:
  StepProfile* profile_;
  PartSeconds seconds_{};
};

/// Adds the time of a scope to a part.
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
