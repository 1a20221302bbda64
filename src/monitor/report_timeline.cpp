// The sessions of a run one after the other, without the pauses between them: what was trained
// when, where checkpoints lie, what a resume took up again.
#include <fmt/format.h>

#include <algorithm>

#include "report_view.hpp"
#include "sae/core/text.hpp"

namespace sae {
namespace {

constexpr std::size_t kMostMarks = 300;   // Checkpoints that are drawn.
constexpr std::size_t kMostEvents = 500;  // Of the table.

/// A session on the axis, which counts seconds of training.
struct SessionOnAxis {
  const SessionRecord& session;
  double begin = 0;
  double end() const { return begin + session.last_sign - session.begin; }
  double at(double time) const {
    return begin + std::clamp(time, session.begin, session.last_sign) - session.begin;
  }
};

struct TimelineDrawing {
  double length;
  Json spans = Json::array();
  Json marks = Json::array();

  std::string percent(double seconds) const {
    return fmt::format("{:.3f}", 100 * seconds / length);
  }

  void span(const std::string& classes, double begin, double end, const std::string& title) {
    spans.push_back({{"class", classes},
                     {"left", percent(begin)},
                     {"width", percent(std::max(end - begin, length / 1000))},
                     {"title", title}});
  }
  void mark(const char* kind, double at, const std::string& title) {
    marks.push_back({{"class", kind}, {"left", percent(at)}, {"title", title}});
  }
};

/// 1 and 2 alternate in pretraining, 3 is fine-tuning.
int colour_of(const std::string& stage, const RunRecord& record) {
  const auto found = std::ranges::find(record.stages, stage, &StageSummary::name);
  if (found == record.stages.end() || found + 1 == record.stages.end()) return 3;
  return 1 + static_cast<int>((found - record.stages.begin()) % 2);
}

/// The stage that trains after so many updates of the run.
std::string stage_after(Index step, const RunRecord& record) {
  for (const StageSummary& stage : record.stages) {
    step -= stage.epochs * stage.steps_per_epoch;
    if (step < 0) return stage.name;
  }
  return {};
}

void draw_stages(const RunRecord& record, const SessionOnAxis& shown, TimelineDrawing& drawing) {
  double begin = shown.begin;
  const auto& epochs = shown.session.epochs;
  for (std::size_t i = 0; i < epochs.size(); ++i) {
    const bool last_of_stage = i + 1 == epochs.size() || epochs[i + 1].stage != epochs[i].stage;
    if (!last_of_stage) continue;
    const double end = shown.at(epochs[i].time);
    drawing.span(fmt::format("seg g{}", colour_of(epochs[i].stage, record)), begin, end,
                 fmt::format("{} up to epoch {}, update {}", epochs[i].stage, epochs[i].epoch,
                             grouped(epochs[i].step)));
    begin = end;
  }
  // What follows the last whole epoch.
  const std::string stage =
      stage_after(epochs.empty() ? shown.session.first_step : epochs.back().step, record);
  if (stage.empty() || shown.end() <= begin) return;
  drawing.span(fmt::format("seg g{}", colour_of(stage, record)), begin, shown.end(),
               fmt::format("{}, within an epoch", stage));
}

/// What came after the checkpoint from which the next session resumed.
void draw_lost(const SessionOnAxis& shown, Index resumed_at, TimelineDrawing& drawing) {
  const SessionRecord& session = shown.session;
  double from = shown.begin;
  for (const StepMark& mark : session.checkpoints) {
    if (mark.step <= resumed_at) from = std::max(from, shown.at(mark.time));
  }
  if (session.ended || shown.end() - from <= 0) return;
  drawing.span(
      "lost", from, shown.end(),
      fmt::format("repeated: the next session resumed from update {}", grouped(resumed_at)));
}

std::vector<SessionOnAxis> on_axis(const std::vector<SessionRecord>& sessions) {
  std::vector<SessionOnAxis> shown;
  double begin = 0;
  for (const SessionRecord& session : sessions) {
    shown.push_back({session, begin});
    begin = shown.back().end();
  }
  return shown;
}

struct Event {
  double time;
  std::string text;
  std::string step;
};

std::vector<Event> events_of(const std::vector<SessionRecord>& sessions) {
  std::vector<Event> events;
  for (std::size_t i = 0; i < sessions.size(); ++i) {
    const SessionRecord& s = sessions[i];
    const std::string what = i == 0 ? "began" : "resumed";
    std::string notes;
    for (const std::string& note : s.notes) notes += "; " + note;
    events.push_back({s.begin, what + notes, grouped(s.first_step)});
    for (const StepMark& mark : s.checkpoints) {
      events.push_back({mark.time, "checkpoint", grouped(mark.step)});
    }
    for (const Warning& warning : s.warnings)
      events.push_back({warning.time, "warning: " + warning.text, ""});
    if (s.ended) events.push_back({s.last_sign, s.stopped ? "stopped cleanly" : "finished", ""});
    if (!s.failure.empty()) events.push_back({s.last_sign, "failed: " + s.failure, ""});
    if (!s.ended && s.failure.empty() && i + 1 < sessions.size())
      events.push_back({s.last_sign, "last sign before it was cut", ""});
  }
  std::ranges::stable_sort(events, {}, &Event::time);
  return events;
}

Json events_table(const std::vector<SessionRecord>& sessions) {
  const auto events = events_of(sessions);
  const std::size_t first = events.size() - std::min(events.size(), kMostEvents);
  Rows rows;
  for (std::size_t i = first; i < events.size(); ++i) {
    rows.push_back({date_and_time(events[i].time), events[i].step, events[i].text});
  }
  return table_view(
      first > 0 ? fmt::format("The last {} of {} events.", kMostEvents, events.size()) : "",
      {"Time", "Update", "What"}, rows);
}

}  // namespace

Json timeline_view(const RunRecord& record) {
  const auto sessions = on_axis(record.sessions);
  if (sessions.empty()) return nullptr;
  TimelineDrawing drawing{std::max(sessions.back().end(), 1e-3)};
  std::size_t checkpoints = 0;
  for (const SessionOnAxis& shown : sessions) checkpoints += shown.session.checkpoints.size();
  std::string text =
      fmt::format("{} session{}, {} of training, {} checkpoints", sessions.size(),
                  sessions.size() == 1 ? "" : "s", duration(drawing.length), checkpoints);
  const std::size_t every = (checkpoints + kMostMarks - 1) / kMostMarks;
  std::size_t number = 0;
  bool lost = false;
  for (std::size_t i = 0; i < sessions.size(); ++i) {
    const SessionRecord& session = sessions[i].session;
    draw_stages(record, sessions[i], drawing);
    if (i + 1 < sessions.size()) {
      const auto before = drawing.spans.size();
      draw_lost(sessions[i], sessions[i + 1].session.first_step, drawing);
      lost = lost || drawing.spans.size() > before;
    }
    for (const StepMark& mark : session.checkpoints) {
      if (number++ % every != 0) continue;
      drawing.mark("ck", sessions[i].at(mark.time),
                   fmt::format("checkpoint after update {}, {}", grouped(mark.step),
                               date_and_time(mark.time)));
    }
    if (i == 0) continue;
    drawing.mark("rs", sessions[i].begin,
                 fmt::format("resumed from update {}, {}", grouped(session.first_step),
                             date_and_time(session.begin)));
    text += fmt::format("; resumed from update {}", grouped(session.first_step));
  }
  return {{"text", text},
          {"length", duration(drawing.length)},
          {"resumed", sessions.size() > 1},
          {"lost", lost},
          {"spans", std::move(drawing.spans)},
          {"marks", std::move(drawing.marks)},
          {"table", events_table(record.sessions)}};
}

}  // namespace sae
