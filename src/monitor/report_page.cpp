#include "report_page.hpp"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <ctime>
#include <filesystem>
#include <set>

#include "html.hpp"
#include "sae/core/text.hpp"

namespace sae {
namespace {

constexpr int kReloadSeconds = 15;

std::string tile(std::string_view name, const std::string& value, const std::string& more) {
  return fmt::format("<div class=\"tile\"><dt>{}</dt><dd>{}<span>{}</span></dd></div>\n",
                     escaped(name), escaped(value), escaped(more));
}

/// Updates of the whole run, and those that are done.
std::pair<Index, Index> updates(const RunRecord& record) {
  Index all = 0;
  for (const StageSummary& stage : record.stages) all += stage.epochs * stage.steps_per_epoch;
  Index done = 0;
  if (!record.sessions.empty()) {
    const SessionRecord& session = record.sessions.back();
    done = session.epochs.empty() ? session.first_step : session.epochs.back().step;
  } else if (!record.epochs.empty()) {
    done = record.epochs.back().step;
  }
  return {done, all};
}

std::string state_of(const Report& report) {
  if (report.live) return "running";
  if (report.record.finished()) return "finished";
  if (report.record.sessions.empty()) return "not finished";
  const SessionRecord& last = report.record.sessions.back();
  return last.ended ? "stopped" : !last.failure.empty() ? "failed" : "not finished";
}

std::string state_badge(const Report& report) {
  const std::string state = state_of(report);
  const char* sign = state == "running"    ? "●"
                     : state == "finished" ? "✓"
                     : state == "failed"   ? "✗"
                                           : "■";
  std::string more;
  if (state == "running") {
    more = fmt::format("Written {}, again after each epoch.", date_and_time(report.written));
  } else if (state == "finished") {
    more = fmt::format("Ended {}.", date_and_time(report.record.sessions.back().last_sign));
  } else if (state == "stopped") {
    const SessionRecord& last = report.record.sessions.back();
    more = fmt::format(
        "Stopped in good order{} {}; the same command with --run and --resume auto "
        "goes on.",
        last.stopped_by.empty() ? "" : " by " + last.stopped_by, date_and_time(last.last_sign));
  } else if (state == "failed") {
    const SessionRecord& last = report.record.sessions.back();
    more = fmt::format("Ended {} with exit code {}: {}", date_and_time(last.last_sign),
                       last.exit_code, last.failure);
  } else {
    more = fmt::format("No end is recorded: the run is under way, or it was cut. Written {}.",
                       date_and_time(report.written));
  }
  return fmt::format("<p><span class=\"badge\">{} {}</span><span class=\"soft\">{}</span></p>\n",
                     sign, state, escaped(more));
}

std::string subtitle(const RunRecord& record) {
  if (record.sessions.empty()) return {};
  const SessionRecord& session = record.sessions.back();
  const std::set<std::string> hosts(session.hosts.begin(), session.hosts.end());
  return fmt::format(
      "<p class=\"soft\">{}, {} parameters, trained on {} by {} rank{} on {} host{}</p>\n",
      escaped(record.topology), grouped(record.parameters), escaped(record.dataset.name),
      session.hosts.size(), session.hosts.size() == 1 ? "" : "s", hosts.size(),
      hosts.size() == 1 ? "" : "s");
}

std::string error_tile(const RunRecord& record) {
  if (const ModelResult* model = chosen_model(record)) {
    const auto& shown = model->test ? model->test : model->validation;
    if (!shown) return {};
    return tile(model->test ? "Test error" : "Validation error",
                fmt::format("{:.2f} %", shown->error_percent()),
                fmt::format("{} of {}, {} of epoch {}", grouped(shown->errors),
                            grouped(shown->samples), model->file, model->epoch));
  }
  const EpochRecord* best = nullptr;
  for (const EpochRecord& epoch : record.epochs) {
    if (epoch.best) best = &epoch;
  }
  if (best == nullptr || !best->validation_error) return {};
  return tile("Best validation error", fmt::format("{:.2f} %", *best->validation_error),
              fmt::format("after epoch {}", best->epoch));
}

std::string tiles(const RunRecord& record) {
  std::string html = error_tile(record);
  const auto [done, all] = updates(record);
  if (!record.epochs.empty()) {
    const EpochRecord& last = record.epochs.back();
    const auto stage = std::ranges::find(record.stages, last.stage, &StageSummary::name);
    html += tile("Came to", last.stage,
                 stage == record.stages.end()
                     ? fmt::format("epoch {}", last.epoch)
                     : fmt::format("epoch {} of {}", last.epoch, stage->epochs));
    html += tile("Loss", fmt::format("{:.4g}", last.loss), "mean over the last epoch");
    html += tile("Samples a second", grouped(std::llround(last.samples_per_second)),
                 fmt::format("communication {:.0f} % of the time", 100 * last.communication_share));
  }
  if (!record.sessions.empty()) {
    double seconds = 0;
    for (const SessionRecord& session : record.sessions)
      seconds += session.last_sign - session.begin;
    const std::size_t resumes = record.sessions.size() - 1;
    html += tile(
        "Time", duration(seconds),
        resumes == 0 ? "in one session" : fmt::format("in {} sessions", record.sessions.size()));
  }
  if (html.empty()) return {};
  html = fmt::format("<dl class=\"tiles\">\n{}</dl>\n", html);
  if (all == 0 || record.finished()) return html;
  const double percent = 100 * static_cast<double>(std::min(done, all)) / static_cast<double>(all);
  return html + fmt::format(
                    "<div class=\"progress\" role=\"progressbar\" aria-label=\"Updates done\" "
                    "aria-valuemin=\"0\" aria-valuemax=\"100\" aria-valuenow=\"{0:.0f}\" "
                    "title=\"{1} of {2} updates\"><div style=\"width:{0:.1f}%\"></div></div>\n",
                    percent, grouped(done), grouped(all));
}

std::string navigation(const std::string& content) {
  std::string links;
  for (const auto& [id, text] : {std::pair{"curves", "Curves"},
                                 {"filters", "Filters"},
                                 {"reconstructions", "Reconstructions"},
                                 {"confusion", "Confusion"},
                                 {"hardest", "Hardest images"},
                                 {"time", "Where the time went"},
                                 {"timeline", "Time line"},
                                 {"setup", "What ran where"}}) {
    if (content.find(fmt::format("<section id=\"{}\"", id)) == std::string::npos) continue;
    links += fmt::format("<a href=\"#{}\">{}</a>\n", id, text);
  }
  return links.empty() ? "" : fmt::format("<nav aria-label=\"Sections\">\n{}</nav>\n", links);
}

}  // namespace

std::string date_and_time(double seconds_since_1970) {
  // What lies outside the years that a calendar knows comes from a damaged file.
  if (!(seconds_since_1970 >= 0 && seconds_since_1970 < 4e11)) return "at an unknown time";
  const auto seconds = static_cast<std::time_t>(seconds_since_1970);
  return fmt::format("{:%Y-%m-%d %H:%M:%S %z}", fmt::localtime(seconds));
}

const ModelResult* chosen_model(const RunRecord& record) {
  return record.models.empty() ? nullptr : &record.models.back();
}

std::string report_page(const Report& report) {
  std::filesystem::path folder = std::filesystem::path(report.run).lexically_normal();
  if (!folder.has_filename()) folder = folder.parent_path();
  const std::string name = escaped(folder.filename().string());
  std::string content = curves_section(report.record);
  content += pictures_sections(report.pictures);
  content += confusion_section(report.record) + hardest_section(report);
  content += time_section(report.record) + timeline_section(report.record) + setup_section(report);
  const std::string reload =
      report.live ? fmt::format("<meta http-equiv=\"refresh\" content=\"{}\">\n", kReloadSeconds)
                  : "";
  std::string html = "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n";
  html += "<meta name=\"viewport\" content=\"width=device-width,initial-scale=1\">\n";
  // The page proves of itself that it needs nothing but itself.
  html +=
      "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; img-src data:; "
      "style-src 'unsafe-inline'\">\n";
  html += reload;
  html += fmt::format("<title>{} · {} · sae_dist</title>\n", name, state_of(report));
  html += fmt::format("<link rel=\"icon\" href=\"data:,\">\n<style>{}</style>\n</head>\n<body>\n",
                      kReportStyle);
  html += fmt::format("<header>\n<h1>Run {}</h1>\n{}{}</header>\n<main>\n", name,
                      subtitle(report.record), state_badge(report));
  html += navigation(content) + tiles(report.record) + content;
  html += fmt::format(
      "</main>\n<footer><p>Written by <code>sae_dist</code> {}; <code>sae_dist report "
      "{}</code> writes it anew.</p></footer>\n</body>\n</html>\n",
      escaped(date_and_time(report.written)), escaped(report.run));
  return html;
}

}  // namespace sae
