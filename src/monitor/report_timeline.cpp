// The sessions of a run one after the other, without the pauses between them: what was trained
// when, where checkpoints lie, what a resume took up again.
#include <fmt/format.h>

#include <algorithm>

#include "html.hpp"
#include "report_page.hpp"
#include "sae/core/text.hpp"

namespace sae {
namespace {

constexpr std::size_t kMostMarks = 300;   // Checkpoints that are drawn.
constexpr std::size_t kMostEvents = 500;  // Of the table.

/// When a session begins on the axis, in seconds of training.
struct Placed {
  const SessionRecord& session;
  double begin = 0;
  double end() const { return begin + session.last_sign - session.begin; }
  double at(double time) const {
    return begin + std::clamp(time, session.begin, session.last_sign) - session.begin;
  }
};

struct TimelineDrawing {
  double length;
  std::string html = {};

  double percent(double seconds) const { return 100 * seconds / length; }

  void span(const std::string& classes, double begin, double end, const std::string& title) {
    html +=
        fmt::format("<div class=\"{}\" style=\"left:{:.3f}%;width:{:.3f}%\" title=\"{}\"></div>\n",
                    classes, percent(begin), std::max(percent(end - begin), 0.1), escaped(title));
  }
  void mark(const char* kind, double at, const std::string& title) {
    html += fmt::format("<i class=\"{}\" style=\"left:{:.3f}%\" title=\"{}\"></i>\n", kind,
                        percent(at), escaped(title));
  }
};

/// 1 and 2 take turns for pretraining, 3 is fine-tuning.
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

void draw_stages(const RunRecord& record, const Placed& placed, TimelineDrawing& drawing) {
  double begin = placed.begin;
  const auto& epochs = placed.session.epochs;
  for (std::size_t i = 0; i < epochs.size(); ++i) {
    const bool last_of_stage = i + 1 == epochs.size() || epochs[i + 1].stage != epochs[i].stage;
    if (!last_of_stage) continue;
    const double end = placed.at(epochs[i].time);
    drawing.span(fmt::format("seg g{}", colour_of(epochs[i].stage, record)), begin, end,
                 fmt::format("{} up to epoch {}, update {}", epochs[i].stage, epochs[i].epoch,
                             grouped(epochs[i].step)));
    begin = end;
  }
  // What follows the last whole epoch.
  const std::string stage =
      stage_after(epochs.empty() ? placed.session.first_step : epochs.back().step, record);
  if (stage.empty() || placed.end() <= begin) return;
  drawing.span(fmt::format("seg g{}", colour_of(stage, record)), begin, placed.end(),
               fmt::format("{}, within an epoch", stage));
}

/// What came after the checkpoint from which the next session went on.
void draw_lost(const Placed& placed, Index resumed_at, TimelineDrawing& drawing) {
  const SessionRecord& session = placed.session;
  double from = placed.begin;
  for (const StepMark& mark : session.checkpoints) {
    if (mark.step <= resumed_at) from = std::max(from, placed.at(mark.time));
  }
  if (session.ended || placed.end() - from <= 0) return;
  drawing.span(
      "lost", from, placed.end(),
      fmt::format("done again: the next session went on from update {}", grouped(resumed_at)));
}

std::vector<Placed> place(const std::vector<SessionRecord>& sessions) {
  std::vector<Placed> placed;
  double begin = 0;
  for (const SessionRecord& session : sessions) {
    placed.push_back({session, begin});
    begin = placed.back().end();
  }
  return placed;
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
    const std::string what = i == 0 ? "began" : "went on";
    std::string notes;
    for (const std::string& note : s.notes) notes += "; " + note;
    events.push_back({s.begin, what + notes, grouped(s.first_step)});
    for (const StepMark& mark : s.checkpoints) {
      events.push_back({mark.time, "checkpoint", grouped(mark.step)});
    }
    for (const Warning& warning : s.warnings)
      events.push_back({warning.time, "warning: " + warning.text, ""});
    if (s.ended)
      events.push_back({s.last_sign, s.stopped ? "stopped in good order" : "finished", ""});
    if (!s.failure.empty()) events.push_back({s.last_sign, "failed: " + s.failure, ""});
    if (!s.ended && s.failure.empty() && i + 1 < sessions.size())
      events.push_back({s.last_sign, "last sign before it was cut", ""});
  }
  std::ranges::stable_sort(events, {}, &Event::time);
  return events;
}

std::string events_table(const std::vector<SessionRecord>& sessions) {
  const auto events = events_of(sessions);
  HtmlTable table{.caption = "", .header = {"Time", "Update", "What"}, .rows = {}};
  const std::size_t first = events.size() - std::min(events.size(), kMostEvents);
  if (first > 0)
    table.caption = fmt::format("The last {} of {} events.", kMostEvents, events.size());
  for (std::size_t i = first; i < events.size(); ++i) {
    table.rows.push_back(
        {escaped(date_and_time(events[i].time)), events[i].step, escaped(events[i].text)});
  }
  return "<div class=\"text\">" + html_of(table) + "</div>";
}

}  // namespace

std::string timeline_section(const RunRecord& record) {
  const auto placed = place(record.sessions);
  if (placed.empty()) return {};
  TimelineDrawing drawing{std::max(placed.back().end(), 1e-3)};
  std::size_t checkpoints = 0;
  for (const Placed& session : placed) checkpoints += session.session.checkpoints.size();
  const std::size_t every = (checkpoints + kMostMarks - 1) / kMostMarks;
  std::size_t number = 0;
  bool lost = false;
  for (std::size_t i = 0; i < placed.size(); ++i) {
    const SessionRecord& session = placed[i].session;
    draw_stages(record, placed[i], drawing);
    if (i + 1 < placed.size()) {
      const auto before = drawing.html.size();
      draw_lost(placed[i], placed[i + 1].session.first_step, drawing);
      lost = lost || drawing.html.size() > before;
    }
    for (const StepMark& mark : session.checkpoints) {
      if (number++ % every != 0) continue;
      drawing.mark("ck", placed[i].at(mark.time),
                   fmt::format("checkpoint after update {}, {}", grouped(mark.step),
                               date_and_time(mark.time)));
    }
    if (i > 0) {
      drawing.mark("rs", placed[i].begin,
                   fmt::format("went on from update {}, {}", grouped(session.first_step),
                               date_and_time(session.begin)));
    }
  }
  std::string told =
      fmt::format("{} session{}, {} of training, {} checkpoints", placed.size(),
                  placed.size() == 1 ? "" : "s", duration(drawing.length), checkpoints);
  for (const Placed& session : placed) {
    if (session.begin > 0)
      told += fmt::format("; went on from update {}", grouped(session.session.first_step));
  }
  std::string legend =
      "<li><span class=\"key g1\"></span><span class=\"key g2\"></span>pretraining</li>"
      "<li><span class=\"key g3\"></span>fine-tuning</li>"
      "<li><span class=\"key ck\"></span>checkpoint</li>";
  if (placed.size() > 1) legend += "<li><span class=\"key rs\"></span>went on</li>";
  if (lost) legend += "<li><span class=\"key lost\"></span>cut, and done again</li>";
  std::string html = fmt::format(
      "<ul class=\"legend\">{}</ul>\n<div class=\"track\" role=\"img\" "
      "aria-label=\"{}\">\n{}</div>\n"
      "<div class=\"ends\"><span>0:00</span><span>{}</span></div>\n<p class=\"soft\">{}.{}</p>\n",
      legend, escaped(told), drawing.html, duration(drawing.length), escaped(told),
      placed.size() > 1 ? " Pauses between sessions are left out." : "");
  return section("timeline", "Time line",
                 html + details("All events as a table", events_table(record.sessions)));
}

}  // namespace sae
