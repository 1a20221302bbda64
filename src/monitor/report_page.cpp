#include "report_page.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <filesystem>
#include <set>

#include "report_view.hpp"
#include "sae/core/text.hpp"
#include "sae/storage/output_file.hpp"

namespace sae {
namespace {

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

struct State {
  const char* sign;
  const char* name;
  std::string explanation;
};

State state_of(const Report& report) {
  const RunRecord& record = report.record;
  const std::string written = date_and_time(report.written);
  if (report.live)
    return {"●", "running", fmt::format("Written {}, again after each epoch.", written)};
  const RunEnd how = record.end();
  if (how == RunEnd::kUnknown) {
    return {"■", "not finished",
            fmt::format("No end is recorded: the run is under way, or it was cut. Written {}.",
                        written)};
  }
  const SessionRecord& last = record.sessions.back();
  const std::string end = date_and_time(last.last_sign);
  if (how == RunEnd::kFinished) return {"✓", "finished", fmt::format("Ended {}.", end)};
  if (how == RunEnd::kStopped) {
    return {"■", "stopped",
            fmt::format("Stopped cleanly{} {}; the same command with --run and --resume auto "
                        "resumes it.",
                        last.stopped_by.empty() ? "" : " by " + last.stopped_by, end)};
  }
  return {"✗", "failed",
          fmt::format("Ended {} with exit code {}: {}", end, last.exit_code, last.failure)};
}

std::string subtitle(const RunRecord& record) {
  if (record.sessions.empty()) return {};
  const SessionRecord& session = record.sessions.back();
  const std::set<std::string> hosts(session.hosts.begin(), session.hosts.end());
  return fmt::format("{}, {} parameters, trained on {} by {} rank{} on {} host{}", record.topology,
                     grouped(record.parameters), record.dataset.name, session.hosts.size(),
                     session.hosts.size() == 1 ? "" : "s", hosts.size(),
                     hosts.size() == 1 ? "" : "s");
}

Json tile(const std::string& name, const std::string& value, const std::string& more) {
  return {{"name", name}, {"value", value}, {"more", more}};
}

Json figure_tile(const std::string& set, const Evaluation& shown, const std::string& more) {
  if (shown.errors) {
    return tile(fmt::format("{} error", set), fmt::format("{:.2f} %", shown.error_percent()),
                fmt::format("{} of {}, {}", grouped(*shown.errors), grouped(shown.samples), more));
  }
  const double mean = shown.reconstruction ? shown.reconstruction->mean : 0;
  return tile(fmt::format("{} reconstruction", set), fmt::format("{:.4g}", mean),
              fmt::format("mean squared error; loss {:.5g}, {}", shown.loss, more));
}

Json error_tile(const RunRecord& record) {
  if (const ModelResult* model = chosen_model(record)) {
    const auto& shown = model->test ? model->test : model->validation;
    if (!shown) return nullptr;
    return figure_tile(model->test ? "Test" : "Validation", *shown,
                       fmt::format("{} of epoch {}", model->file, model->epoch));
  }
  const auto best = std::find_if(record.epochs.rbegin(), record.epochs.rend(),
                                 [](const EpochRecord& epoch) { return epoch.best; });
  if (best == record.epochs.rend()) return nullptr;
  const std::string after = fmt::format("after epoch {}", best->epoch);
  if (best->validation_error) {
    return tile("Best validation error", fmt::format("{:.2f} %", *best->validation_error), after);
  }
  if (!best->validation_loss) return nullptr;
  return tile("Best validation loss", fmt::format("{:.5g}", *best->validation_loss), after);
}

Json summary_view(const RunRecord& record) {
  Json tiles = Json::array();
  if (Json error = error_tile(record); !error.is_null()) tiles.push_back(std::move(error));
  if (!record.epochs.empty()) {
    const EpochRecord& last = record.epochs.back();
    const auto stage = std::ranges::find(record.stages, last.stage, &StageSummary::name);
    tiles.push_back(tile("Came to", last.stage,
                         stage == record.stages.end()
                             ? fmt::format("epoch {}", last.epoch)
                             : fmt::format("epoch {} of {}", last.epoch, stage->epochs)));
    tiles.push_back(tile("Loss", fmt::format("{:.4g}", last.loss), "mean over the last epoch"));
    tiles.push_back(
        tile("Samples a second", grouped(std::llround(last.samples_per_second)),
             fmt::format("communication {:.0f} % of the time", 100 * last.communication_share)));
  }
  if (!record.sessions.empty()) {
    tiles.push_back(tile("Time", duration(record.seconds()),
                         record.sessions.size() == 1
                             ? "in one session"
                             : fmt::format("in {} sessions", record.sessions.size())));
  }
  if (tiles.empty()) return nullptr;
  Json view = {{"tiles", std::move(tiles)}};
  const auto [done, all] = updates(record);
  view["progress"] = nullptr;
  if (all > 0 && !record.finished()) {
    const double share = static_cast<double>(std::min(done, all)) / static_cast<double>(all);
    view["progress"] = {{"percent", fmt::format("{:.0f}", 100 * share)},
                        {"title", fmt::format("{} of {} updates", grouped(done), grouped(all))}};
  }
  return view;
}

Json pictures_view(const std::vector<ReportPicture>& pictures, const std::string& missing = {}) {
  if (pictures.empty() && missing.empty()) return nullptr;
  return {{"pictures", pictures}, {"missing", pictures.empty() ? missing : ""}};
}

}  // namespace

const ModelResult* chosen_model(const RunRecord& record) {
  return record.models.empty() ? nullptr : &record.models.back();
}

std::string report_page(const Report& report) {
  const RunRecord& record = report.record;
  std::filesystem::path folder = std::filesystem::path(report.run).lexically_normal();
  if (!folder.has_filename()) folder = folder.parent_path();
  const auto [sign, state, explanation] = state_of(report);
  Json sections = {{"curves", curves_view(record)},
                   {"filters", pictures_view(report.pictures.filters, report.pictures.missing)},
                   {"distorted", pictures_view(report.pictures.distorted)},
                   {"reconstructions", pictures_view(report.pictures.reconstructions)},
                   {"confusion", confusion_view(record)},
                   {"scores", scores_view(record)},
                   {"hardest", hardest_view(report)},
                   {"time", time_view(record)},
                   {"timeline", timeline_view(record)},
                   {"setup", setup_view(report)}};
  Json view = {
      {"live", report.live},
      {"name", folder.filename().string()},
      {"state", state},
      {"style", kReportStyle},
      {"subtitle", subtitle(record)},
      {"sign", sign},
      {"explanation", explanation},
      {"has_sections",
       std::ranges::any_of(sections, [](const Json& section) { return !section.is_null(); })},
      {"summary", summary_view(record)},
      {"written", date_and_time(report.written)},
      {"run", report.run}};
  view.update(sections);
  return render(kReportTemplate, view);
}

void publish_report(const RunFolder& folder, Report& report,
                    const std::function<void()>& before_rename) {
  report.written =
      std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch()).count();
  OutputFile file(folder.report());
  file.write(report_page(report));
  // Not forced to disk: training does not wait, and a page that a crash loses can be made anew.
  if (before_rename) before_rename();
  file.rename_into_place();
}

}  // namespace sae
