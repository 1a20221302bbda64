#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "sae/comm/communicator.hpp"
#include "sae/train/run_folder.hpp"

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
  /// Sums and update of a step, and with them its end. All waiting of it is shown as before the
  /// update, where most of it is.
  void add_update(Clock::time_point begin, Clock::time_point end, double update_seconds);

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

/// Adds the time of a scope to a part, in `sums` and in `profile`, which may be null.
class ProfileScope {
 public:
  ProfileScope(PartSeconds& sums, StepProfile* profile, ProfiledPart part)
      : sums_(sums), profile_(profile), part_(part) {}
  ~ProfileScope() {
    const auto end = StepProfile::Clock::now();
    sums_[static_cast<std::size_t>(part_)] += std::chrono::duration<double>(end - begin_).count();
    if (profile_ != nullptr) profile_->add(part_, begin_, end);
  }
  ProfileScope(const ProfileScope&) = delete;
  ProfileScope& operator=(const ProfileScope&) = delete;

 private:
  PartSeconds& sums_;
  StepProfile* profile_;
  ProfiledPart part_;
  StepProfile::Clock::time_point begin_ = StepProfile::Clock::now();
};

}  // namespace sae
