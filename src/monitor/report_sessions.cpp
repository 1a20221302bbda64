// What the report shows of the machines, of their time and of the run's sessions.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <map>

#include "html.hpp"
#include "report_page.hpp"
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

std::string bar(const std::string& name, const RankTime& time, double longest) {
  std::string parts;
  std::string told;
  for (std::size_t i = 0; i < kParts.size(); ++i) {
    const double seconds = seconds_of(time, kParts[i].part);
    if (longest <= 0 || seconds / longest < 0.0005) continue;
    const double share = 100 * seconds / std::max(time.total, 1e-9);
    const std::string text = fmt::format("{} {:.1f} s, {:.0f} %", kParts[i].name, seconds, share);
    told += (told.empty() ? "" : "; ") + text;
    parts += fmt::format("<span class=\"s{}\" style=\"width:{:.2f}%\" title=\"{}\"></span>", i + 1,
                         100 * seconds / longest, escaped(text));
  }
  return fmt::format(
      "<div>{0} <span class=\"soft\">{1:.1f} s</span></div><div class=\"bar\" role=\"img\" "
      "aria-label=\"{0}: {2}\">{3}</div>\n",
      escaped(name), time.total, escaped(told), parts);
}

std::vector<std::string> cells(const RankTime& time) {
  std::vector<std::string> row;
  row.reserve(kParts.size() + 1);
  for (const PartShown& part : kParts) {
    row.push_back(fmt::format("{:.2f}", seconds_of(time, part.part)));
  }
  row.push_back(fmt::format("{:.2f}", time.total));
  return row;
}

HtmlTable time_table(const char* caption, const char* first) {
  HtmlTable table{.caption = caption, .header = {first}, .rows = {}};
  for (const PartShown& part : kParts) table.header.emplace_back(part.name);
  table.header.emplace_back("sum");
  return table;
}

/// Mean over ranks of each stage, over all sessions.
HtmlTable stages_table(const RunRecord& record) {
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
  HtmlTable table = time_table("Seconds of each stage, mean of the ranks, all sessions", "Stage");
  for (const std::string& name : names) {
    auto row = cells(sums[name]);
    row.insert(row.begin(), escaped(name));
    table.rows.push_back(std::move(row));
  }
  return table;
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

std::string end_of(const SessionRecord& session, bool is_last, bool live) {
  if (session.ended) return session.stopped ? "stopped" : "finished";
  if (!session.failure.empty()) return fmt::format("failed ({})", session.exit_code);
  return is_last && live ? "running" : is_last ? "no end recorded" : "cut";
}

HtmlTable sessions_table(const Report& report) {
  HtmlTable table{
      .caption = "Sessions",
      .header = {"No.", "Began", "Last sign", "End", "Updates", "Ranks × threads", "Time"},
      .rows = {}};
  const auto& sessions = report.record.sessions;
  for (std::size_t i = 0; i < sessions.size(); ++i) {
    const SessionRecord& s = sessions[i];
    Index last = s.first_step;
    for (const EpochMark& mark : s.epochs) last = std::max(last, mark.step);
    for (const StepMark& mark : s.checkpoints) last = std::max(last, mark.step);
    table.rows.push_back({fmt::format("{}", i + 1), date_and_time(s.begin),
                          date_and_time(s.last_sign),
                          end_of(s, i + 1 == sessions.size(), report.live),
                          fmt::format("{} to {}", grouped(s.first_step), grouped(last)),
                          fmt::format("{} × {}", s.hosts.size(), std::max<Index>(s.threads, 1)),
                          duration(s.last_sign - s.begin)});
  }
  return table;
}

}  // namespace

std::string time_section(const RunRecord& record) {
  const auto session = std::find_if(record.sessions.rbegin(), record.sessions.rend(),
                                    [](const SessionRecord& s) { return !s.epochs.empty(); });
  if (session == record.sessions.rend()) return {};
  std::vector<RankTime> sums;
  for (const EpochMark& mark : session->epochs) add(sums, mark.times);
  if (sums.empty()) return {};
  double longest = 0;
  for (const RankTime& sum : sums) longest = std::max(longest, sum.total);
  std::string legend;
  for (std::size_t i = 0; i < kParts.size(); ++i) {
    legend += fmt::format("<li><span class=\"key s{}\"></span>{}</li>", i + 1, kParts[i].name);
  }
  std::string html = fmt::format(
      "<p class=\"soft\">Of each rank in the last session, up to the end of its last epoch.</p>\n"
      "<ul class=\"legend\">{}</ul>\n",
      legend);
  HtmlTable table = time_table("Seconds of each rank in the last session", "Rank");
  for (std::size_t i = 0; i < sums.size(); ++i) {
    const std::string name = rank_name(i, sums.size(), session->hosts.size());
    html += bar(name, sums[i], longest);
    auto row = cells(sums[i]);
    row.insert(row.begin(), name);
    table.rows.push_back(std::move(row));
  }
  html += details("Times as tables", html_of(table) + html_of(stages_table(record)));
  return section("time", "Where the time went", html);
}

std::string setup_section(const Report& report) {
  const RunRecord& record = report.record;
  std::string html;
  const auto row = [](const char* name, const std::string& value) {
    return std::vector<std::string>{name, escaped(value)};
  };
  if (!record.sessions.empty()) {
    const SessionRecord& session = record.sessions.back();
    HtmlTable table{.caption = "", .header = {"What", "In the last session"}, .rows = {}};
    table.rows.push_back(row("Program", session.program));
    table.rows.push_back(row("Hosts", hosts_of(session)));
    table.rows.push_back(row("Ranks × threads", fmt::format("{} × {}", session.hosts.size(),
                                                            std::max<Index>(session.threads, 1))));
    table.rows.push_back(row("Averaging", session.averaging));
    table.rows.push_back(
        row("Memory", fmt::format("about {} a rank", megabytes(session.memory_per_rank))));
    table.rows.push_back(row("Data set", fmt::format("{} ({})", record.dataset.name, record.data)));
    if (!record.dataset.source.empty()) table.rows.push_back(row("Source", record.dataset.source));
    if (!record.dataset.license.empty())
      table.rows.push_back(row("Licence", record.dataset.license));
    table.rows.push_back(
        row("Samples",
            fmt::format("{} training, {} validation, {} test", grouped(record.training_samples),
                        grouped(record.validation_samples), grouped(record.test_samples))));
    html += "<div class=\"text\">" + html_of(table) + "</div>";
    html += html_of(sessions_table(report));
  }
  if (!record.stages.empty()) {
    HtmlTable table{.caption = "Stages",
                    .header = {"Stage", "Epochs", "Updates", "TFLOP in products"},
                    .rows = {}};
    for (const StageSummary& stage : record.stages) {
      table.rows.push_back(
          {escaped(stage.name), grouped(stage.epochs),
           grouped(stage.epochs * stage.steps_per_epoch),
           fmt::format("{:.3g}", stage.flop_per_epoch * static_cast<double>(stage.epochs) / 1e12)});
    }
    html += html_of(table);
  }
  if (!record.configuration.empty()) {
    HtmlTable table{.caption = "As in config.cfg", .header = {"Option", "Value"}, .rows = {}};
    for (const auto& [name, value] : record.configuration) {
      table.rows.push_back({escaped(name), escaped(clipped(value, 2000))});
    }
    html += details("All settings", "<div class=\"text\">" + html_of(table) + "</div>");
  }
  if (record.unreadable_lines > 0) {
    html += fmt::format(
        "<p class=\"note\">{} lines of metrics.jsonl and journal.jsonl could not be read.</p>\n",
        record.unreadable_lines);
  }
  return section("setup", "What ran where", html);
}

}  // namespace sae
