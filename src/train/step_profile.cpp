#include "sae/train/step_profile.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <numeric>
#include <span>
#include <string>
#include <utility>

#include "sae/core/host.hpp"
#include "sae/storage/output_file.hpp"

namespace sae {
namespace {

using Json = nlohmann::ordered_json;

std::int64_t nanoseconds(StepProfile::Clock::duration duration) {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(duration).count();
}

double seconds(StepProfile::Clock::duration duration) {
  return std::chrono::duration<double>(duration).count();
}

/// Returns each rank's elements on rank 0, nothing elsewhere. Collective.
template <typename Element>
std::vector<std::vector<Element>> collect(const std::vector<Element>& own, Communicator& comm) {
  const auto sizes = comm.allgather(std::to_string(own.size()));
  if (!comm.is_root()) {
    comm.send(std::as_bytes(std::span(own)), 0);
    return {};
  }
  std::vector<std::vector<Element>> all = {own};
  for (int rank = 1; rank < comm.size(); ++rank) {
    std::vector<Element> theirs(std::stoull(sizes[static_cast<std::size_t>(rank)]));
    comm.receive(std::as_writable_bytes(std::span(theirs)), rank);
    all.push_back(std::move(theirs));
  }
  return all;
}

}  // namespace

std::string_view name_of(ProfiledPart part) {
  constexpr std::array<std::string_view, kProfiledParts> kNames = {
      "data", "objective", "reduction", "update", "checkpoint_and_evaluation"};
  return kNames[static_cast<std::size_t>(part)];
}

StepProfile::StepProfile(std::vector<std::string> stage_names, Communicator& comm)
    : stage_names_(std::move(stage_names)),
      hosts_(comm.allgather(host_name())),
      sums_(stage_names_.size()) {
  events_.reserve(stage_names_.size() * static_cast<std::size_t>(kTracedSteps) * kProfiledParts);
  comm.barrier();
  origin_ = Clock::now();
  // All ranks of a host use the origin of its first rank.
  const auto origins = comm.allgather(std::to_string(origin_.time_since_epoch().count()));
  const auto first = std::find(hosts_.begin(), hosts_.end(), host_name()) - hosts_.begin();
  origin_ =
      Clock::time_point(Clock::duration(std::stoll(origins[static_cast<std::size_t>(first)])));
}

void StepProfile::begin_stage(std::size_t stage) {
  stage_ = stage;
  stage_begin_ = Clock::now();
}

void StepProfile::end_stage() {
  sums_[stage_].total_seconds += seconds(Clock::now() - stage_begin_);
}

void StepProfile::add(ProfiledPart part, Clock::time_point begin, Clock::time_point end) {
  StageSums& sums = sums_[stage_];
  sums.seconds[static_cast<std::size_t>(part)] += seconds(end - begin);
  // Shorter events are invisible in a trace.
  if (sums.steps >= kTracedSteps || end - begin < std::chrono::microseconds(1)) return;
  events_.push_back({.begin = nanoseconds(begin - origin_),
                     .duration = nanoseconds(end - begin),
                     .step = sums.steps,
                     .stage = static_cast<std::uint32_t>(stage_),
                     .part = part});
}

void StepProfile::write(const RunFolder& folder, Communicator& comm) const {
  const auto sums = collect(sums_, comm);
  const auto events = collect(events_, comm);
  if (!comm.is_root()) return;
  write_text_file(folder.path() / "profile.json", sums_text(stage_names_, sums));
  write_text_file(folder.path() / "trace.json", trace_text(events));
}

std::string StepProfile::sums_text(const std::vector<std::string>& stage_names,
                                   const std::vector<std::vector<StageSums>>& sums_by_rank) {
  Json profile;
  profile["ranks"] = sums_by_rank.size();
  profile["stages"] = Json::array();
  for (std::size_t stage = 0; stage < stage_names.size(); ++stage) {
    Json of_ranks = Json::array();
    Json mean = Json::object();
    for (std::size_t rank = 0; rank < sums_by_rank.size(); ++rank) {
      const StageSums& sums = sums_by_rank[rank][stage];
      Json of_rank = {{"rank", rank}};
      const auto record = [&](const std::string& name, double value) {
        of_rank[name] = value;
        mean[name] = mean.value(name, 0.0) + value / static_cast<double>(sums_by_rank.size());
      };
      for (std::size_t part = 0; part < kProfiledParts; ++part) {
        record(fmt::format("{}_seconds", name_of(static_cast<ProfiledPart>(part))),
               sums.seconds[part]);
      }
      record("other_seconds",
             std::max(0.0, sums.total_seconds -
                               std::accumulate(sums.seconds.begin(), sums.seconds.end(), 0.0)));
      record("total_seconds", sums.total_seconds);
      of_ranks.push_back(std::move(of_rank));
    }
    Json entry = {{"stage", stage_names[stage]}, {"steps", sums_by_rank[0][stage].steps}};
    entry["mean_of_ranks"] = std::move(mean);
    entry["by_rank"] = std::move(of_ranks);
    profile["stages"].push_back(std::move(entry));
  }
  return profile.dump(2) + "\n";
}

std::string StepProfile::trace_text(const std::vector<std::vector<Event>>& events_by_rank) const {
  std::string text = R"({"displayTimeUnit":"ms","traceEvents":[)";
  const auto append = [&text](const Json& event) { text += event.dump() + ",\n"; };
  const auto microseconds = [](std::int64_t value) { return static_cast<double>(value) / 1e3; };
  for (std::size_t rank = 0; rank < events_by_rank.size(); ++rank) {
    append({{"ph", "M"},
            {"name", "thread_name"},
            {"pid", 0},
            {"tid", rank},
            {"args", {{"name", fmt::format("rank {}, {}", rank, hosts_[rank])}}}});
    for (const Event& event : events_by_rank[rank]) {
      append({{"ph", "X"},
              {"name", name_of(event.part)},
              {"cat", stage_names_[event.stage]},
              {"pid", 0},
              {"tid", rank},
              {"ts", microseconds(event.begin)},
              {"dur", microseconds(event.duration)},
              {"args", {{"stage", stage_names_[event.stage]}, {"step", event.step}}}});
    }
  }
  const Json process = {
      {"ph", "M"}, {"name", "process_name"}, {"pid", 0}, {"args", {{"name", "sae_dist"}}}};
  return text + process.dump() + "]}\n";
}

void PartTimes::add(ProfiledPart part, Clock::time_point begin, Clock::time_point end) {
  seconds_[static_cast<std::size_t>(part)] += seconds(end - begin);
  if (profile_ != nullptr) profile_->add(part, begin, end);
}

void PartTimes::add_step(Clock::time_point begin, Clock::time_point computed, Clock::time_point end,
                         Clock::duration update) {
  const Clock::time_point updating = std::max(computed, end - update);
  add(ProfiledPart::kObjective, begin, computed);
  add(ProfiledPart::kReduction, computed, updating);
  add(ProfiledPart::kUpdate, updating, end);
  if (profile_ != nullptr) profile_->end_step();
}

}  // namespace sae
