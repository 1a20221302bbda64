// What the report shows of the machines, of their time and of the run's sessions.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <map>

#include "report_view.hpp"
#include "sae/core/text.hpp"

namespace sae {
namespace {

struct PartShown {
  std::size_t part;  ///< Of ProfiledPart; kProfiledParts: what belongs to none.
  const char* name;
};
// In the order of a step; the colour is that of the position.
constexpr std::array<PartShown, kProfiledParts + 1> kParts = {
    {{static_cast<std::size_t>(ProfiledPart::kObjective), "compute"},
     {static_cast<std::size_t>(ProfiledPart::kReduction), "reduction and waiting"},
     {static_cast<std::size_t>(ProfiledPart::kData), "exchange of samples"},
     {static_cast<std::size_t>(ProfiledPart::kUpdate), "update"},
     {static_cast<std::size_t>(ProfiledPart::kBetweenSteps), "evaluation and files"},
     {kProfiledParts, "other"}}};

double seconds_of(const RankTime& time, std::size_t part) {
  if (part < kProfiledParts) return time.parts[part];
  double rest = time.total;
  for (const double seconds : time.parts) rest -= seconds;
  return std::max(rest, 0.0);
}

void add(std::vector<RankTime>& sums, const std::vector<RankTime>& times) {
  if (sums.size() < times.size()) sums.resize(times.size());
  for (std::size_t rank = 0; rank < times.size(); ++rank) {
    for (std::size_t part = 0; part < kProfiledParts; ++part) {
      sums[rank].parts[part] += times[rank].parts[part];
    }
    sums[rank].total += times[rank].total;
  }
}

/// "rank 3", or "ranks 6 to 8" for a mean over neighbours.
std::string rank_name(std::size_t position, std::size_t positions, std::size_t ranks) {
  const std::size_t each = (ranks + positions - 1) / positions;
  const std::size_t first = position * each;
  if (each <= 1) return fmt::format("rank {}", first);
  return fmt::format("ranks {} to {}", first, std::min(first + each, ranks) - 1);
}

Json bar(const std::string& name, const RankTime& time, double longest) {
  Json parts = Json::array();
  std::string description;
  for (std::size_t i = 0; i < kParts.size(); ++i) {
    const double seconds = seconds_of(time, kParts[i].part);
    if (longest <= 0 || seconds / longest < 0.0005) continue;
    const double share = 100 * seconds / std::max(time.total, 1e-9);
    const std::string text = fmt::format("{} {:.1f} s, {:.0f} %", kParts[i].name, seconds, share);
    description += (description.empty() ? "" : "; ") + text;
    parts.push_back({{"number", i + 1},
                     {"width", fmt::format("{:.2f}", 100 * seconds / longest)},
                     {"title", text}});
  }
  return {{"name", name},
          {"total", fmt::format("{:.1f}", time.total)},
          {"description", description},
          {"parts", std::move(parts)}};
}

std::vector<std::string> cells(const std::string& name, const RankTime& time) {
  std::vector<std::string> row = {name};
  for (const PartShown& part : kParts) {
    row.push_back(fmt::format("{:.2f}", seconds_of(time, part.part)));
  }
  row.push_back(fmt::format("{:.2f}", time.total));
  return row;
}

Json time_table(const char* caption, const char* first, const Rows& rows) {
  std::vector<std::string> header = {first};
  for (const PartShown& part : kParts) header.emplace_back(part.name);
  header.emplace_back("sum");
  return table_view(caption, header, rows);
}

/// Mean over ranks of each stage, over all sessions.
Json stages_table(const RunRecord& record) {
  std::vector<std::string> names;
  std::map<std::string, RankTime> sums;
  for (const SessionRecord& session : record.sessions) {
    for (const EpochMark& mark : session.epochs) {
      if (mark.times.empty()) continue;
      if (!sums.contains(mark.stage)) names.push_back(mark.stage);
      RankTime& sum = sums[mark.stage];
      const auto ranks = static_cast<double>(mark.times.size());
      for (const RankTime& time : mark.times) {
        for (std::size_t part = 0; part < kProfiledParts; ++part) {
          sum.parts[part] += time.parts[part] / ranks;
        }
        sum.total += time.total / ranks;
      }
    }
  }
  Rows rows;
  for (const std::string& name : names) rows.push_back(cells(name, sums[name]));
  return time_table("Seconds of each stage, mean of the ranks, all sessions", "Stage", rows);
}

std::string clipped(const std::string& text, std::size_t most) {
  return text.size() <= most ? text : text.substr(0, most) + " ...";
}

/// Such as "node1 (ranks 0 to 3), node2 (ranks 4 to 7)".
std::string hosts_of(const SessionRecord& session) {
  std::string text;
  for (std::size_t begin = 0; begin < session.hosts.size();) {
    std::size_t end = begin;
    while (end < session.hosts.size() && session.hosts[end] == session.hosts[begin]) ++end;
    text += text.empty() ? "" : ", ";
    text += end - begin == 1
                ? fmt::format("{} (rank {})", session.hosts[begin], begin)
                : fmt::format("{} (ranks {} to {})", session.hosts[begin], begin, end - 1);
    begin = end;
  }
  return clipped(text, 2000);
}

std::string ranks_of(const SessionRecord& session) {
  return fmt::format("{} × {}", session.hosts.size(), std::max<Index>(session.threads, 1));
}

std::string end_of(const SessionRecord& session, bool is_last, bool live) {
  if (session.ended) return session.stopped ? "stopped" : "finished";
  if (!session.failure.empty()) return fmt::format("failed ({})", session.exit_code);
  return is_last && live ? "running" : is_last ? "no end recorded" : "cut";
}

Json sessions_table(const Report& report) {
  Rows rows;
  const auto& sessions = report.record.sessions;
  for (std::size_t i = 0; i < sessions.size(); ++i) {
    const SessionRecord& s = sessions[i];
    Index last = s.first_step;
    for (const EpochMark& mark : s.epochs) last = std::max(last, mark.step);
    for (const StepMark& mark : s.checkpoints) last = std::max(last, mark.step);
    rows.push_back({fmt::format("{}", i + 1), date_and_time(s.begin), date_and_time(s.last_sign),
                    end_of(s, i + 1 == sessions.size(), report.live),
                    fmt::format("{} to {}", grouped(s.first_step), grouped(last)), ranks_of(s),
                    duration(s.last_sign - s.begin)});
  }
  return table_view(
      "Sessions", {"No.", "Began", "Last sign", "End", "Updates", "Ranks × threads", "Time"}, rows);
}

Json session_table(const RunRecord& record) {
  const SessionRecord& session = record.sessions.back();
  Rows rows = {{"Program", session.program},
               {"Hosts", hosts_of(session)},
               {"Ranks × threads", ranks_of(session)},
               {"Averaging", session.averaging},
               {"Memory", fmt::format("about {} per rank", megabytes(session.memory_per_rank))},
               {"Data set", fmt::format("{} ({})", record.dataset.name, record.data)},
               {"Source", record.dataset.source},
               {"Licence", record.dataset.license},
               {"Samples",
                fmt::format("{} training, {} validation, {} test", grouped(record.training_samples),
                            grouped(record.validation_samples), grouped(record.test_samples))}};
  std::erase_if(rows, [](const auto& row) { return row[1].empty(); });
  return table_view("", {"What", "In the last session"}, rows);
}

Json stage_setup_table(const std::vector<StageSummary>& stages) {
  Rows rows;
  for (const StageSummary& stage : stages) {
    rows.push_back(
        {stage.name, grouped(stage.epochs), grouped(stage.epochs * stage.steps_per_epoch),
         fmt::format("{:.3g}", stage.flop_per_epoch * static_cast<double>(stage.epochs) / 1e12)});
  }
  return table_view("Stages", {"Stage", "Epochs", "Updates", "TFLOP in products"}, rows);
}

}  // namespace

Json time_view(const RunRecord& record) {
  const auto session = std::find_if(record.sessions.rbegin(), record.sessions.rend(),
                                    [](const SessionRecord& s) { return !s.epochs.empty(); });
  if (session == record.sessions.rend()) return nullptr;
  std::vector<RankTime> sums;
  for (const EpochMark& mark : session->epochs) add(sums, mark.times);
  if (sums.empty()) return nullptr;
  double longest = 0;
  for (const RankTime& sum : sums) longest = std::max(longest, sum.total);
  Json legend = Json::array();
  for (std::size_t i = 0; i < kParts.size(); ++i) {
    legend.push_back({{"number", i + 1}, {"name", kParts[i].name}});
  }
  Json bars = Json::array();
  Rows rows;
  for (std::size_t i = 0; i < sums.size(); ++i) {
    const std::string name = rank_name(i, sums.size(), session->hosts.size());
    bars.push_back(bar(name, sums[i], longest));
    rows.push_back(cells(name, sums[i]));
  }
  Json tables = Json::array();
  tables.push_back(time_table("Seconds of each rank in the last session", "Rank", rows));
  tables.push_back(stages_table(record));
  return {{"legend", std::move(legend)}, {"bars", std::move(bars)}, {"tables", std::move(tables)}};
}

Json setup_view(const Report& report) {
  const RunRecord& record = report.record;
  Json view = {{"session", nullptr},
               {"tables", Json::array()},
               {"configuration", nullptr},
               {"unreadable", record.unreadable_lines > 0 ? grouped(record.unreadable_lines) : ""}};
  if (!record.sessions.empty()) {
    view["session"] = session_table(record);
    view["tables"].push_back(sessions_table(report));
  }
  if (!record.stages.empty()) view["tables"].push_back(stage_setup_table(record.stages));
  if (!record.configuration.empty()) {
    Rows rows;
    for (const auto& [name, value] : record.configuration) {
      rows.push_back({name, clipped(value, 2000)});
    }
    view["configuration"] = table_view("As in config.cfg", {"Option", "Value"}, rows);
  }
  const bool is_empty = record.sessions.empty() && record.stages.empty() &&
                        record.configuration.empty() && record.unreadable_lines == 0;
  return is_empty ? Json() : view;
}

}  // namespace sae
