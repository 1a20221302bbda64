#include "comparison_page.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>

#include "line_chart.hpp"
#include "report_view.hpp"
#include "sae/core/text.hpp"

namespace sae {
namespace {

constexpr const char* kNothing = "–";
// The best validation figure. Rows are written in its order.
constexpr std::size_t kUsualColumn = 1;
constexpr std::size_t kLongText = 28;  // Of a cell; a longer one is broken into lines.
// Curves that can be told apart: by colour, then by the pattern of their lines.
constexpr std::size_t kColours = 8;  // As in comparison.css.
struct LinePattern {
  const char* dashes;  // Of SVG.
  const char* border;  // Of CSS.
};
constexpr LinePattern kPatterns[] = {{"none", "solid"}, {"8 5", "dashed"}, {"1 5", "dotted"}};
constexpr std::size_t kMostCurves = kColours * std::size(kPatterns);

using Runs = std::vector<ComparedRun>;

/// A column of the table: one cell and one key a run.
struct TableColumn {
  std::string name;
  std::vector<std::string> cells = {};
  std::vector<SortKey> keys = {};

  void add(std::string cell, SortKey key) {
    cells.push_back(cell.empty() ? kNothing : std::move(cell));
    keys.push_back(std::move(key));
  }
};

/// Which kinds of figures there are.
struct Kinds {
  bool errors = false;
  bool losses = false;

  const char* name() const { return !losses ? "error" : errors ? "figure" : "loss"; }
  std::string text(const Figure& figure) const {
    std::string value =
        fmt::format(fmt::runtime(figure.is_error ? "{:.2f} %" : "{:.5g}"), figure.value);
    if (!errors || !losses) return value;
    return (figure.is_error ? "error " : "loss ") + value;
  }
};

/// Whether its curves are those of a classifier.
bool trains_classifier(const RunRecord& record) {
  return std::ranges::any_of(record.epochs,
                             [](const auto& epoch) { return epoch.train_error.has_value(); });
}

Kinds kinds_of(const Runs& runs) {
  Kinds kinds;
  for (const ComparedRun& run : runs) {
    const auto best = best_figure(run.record);
    if (best) (best->figure.is_error ? kinds.errors : kinds.losses) = true;
    for (const ModelResult& model : run.record.models) {
      if (model.test) (model.test->errors ? kinds.errors : kinds.losses) = true;
    }
  }
  return kinds;
}

bool is_finetuning(const EpochRecord& epoch) { return epoch.stage == "finetune"; }

bool has_curves(const Runs& runs, std::size_t run) {
  return run < kMostCurves && std::ranges::any_of(runs[run].record.epochs, is_finetuning);
}

/// Such as "finetune 3 of 15".
std::string progress_of(const RunRecord& record) {
  if (record.epochs.empty()) return "no epoch yet";
  const EpochRecord& last = record.epochs.back();
  const auto stage = std::ranges::find(record.stages, last.stage, &StageSummary::name);
  return fmt::format("{} {}{}", last.stage, last.epoch,
                     stage == record.stages.end() ? "" : fmt::format(" of {}", stage->epochs));
}

std::string end_text(const RunRecord& record) {
  switch (record.end()) {
    case RunEnd::kFinished:
      return "finished";
    case RunEnd::kStopped: {
      const std::string& by = record.sessions.back().stopped_by;
      return fmt::format("stopped{}, {}", by.empty() ? "" : " by " + by, progress_of(record));
    }
    case RunEnd::kFailed:
      return fmt::format("failed ({}), {}", record.sessions.back().exit_code, progress_of(record));
    case RunEnd::kUnknown:
      break;
  }
  return fmt::format("running or cut, {}", progress_of(record));
}

TableColumn test_column(const Runs& runs, const Kinds& kinds, const std::string& file) {
  TableColumn column{fmt::format("Test {}, {}", kinds.name(), file)};
  for (const ComparedRun& run : runs) {
    const auto& models = run.record.models;
    const auto model = std::ranges::find(models, file, &ModelResult::file);
    if (model == models.end() || !model->test) {
      column.add("", {});
    } else {
      const Figure figure = figure_of(*model->test);
      column.add(kinds.text(figure), key_of(std::optional(figure)));
    }
  }
  return column;
}

/// Results stand before settings, of which there may be many.
std::vector<TableColumn> table_columns(const Runs& runs, const ComparedSettings& settings) {
  const Kinds kinds = kinds_of(runs);
  std::vector<TableColumn> columns(1);
  columns[0].name = "Run";
  for (const ComparedRun& run : runs) columns[0].add(run.name, key_of(run.name));
  TableColumn figures{fmt::format("Best validation {}", kinds.name())};
  TableColumn epochs{"Best epoch"};
  TableColumn times{"Time"};
  TableColumn ends{"End"};
  for (const ComparedRun& run : runs) {
    if (const auto best = best_figure(run.record)) {
      figures.add(kinds.text(best->figure), key_of(std::optional(best->figure)));
      epochs.add(fmt::format("{}", best->epoch), key_of(fmt::format("{}", best->epoch)));
    } else {
      figures.add("", {});
      epochs.add("", {});
    }
    const double seconds = run.record.seconds();
    times.add(duration(seconds), {.kind = 0, .numbers = {seconds}});
    ends.add(end_text(run.record), key_of(end_text(run.record)));
  }
  columns.push_back(std::move(figures));
  columns.push_back(std::move(epochs));
  for (const char* file : {"model.h5", "best.h5"})
    columns.push_back(test_column(runs, kinds, file));
  columns.push_back(std::move(times));
  columns.push_back(std::move(ends));
  for (const auto& [name, values] : settings.different) {
    columns.push_back({.name = name});
    for (const std::string& value : values) columns.back().add(value, key_of(value));
  }
  return columns;
}

/// As far as the runs tell.
bool have_same_data(const Runs& runs) {
  return std::ranges::all_of(runs, [&](const ComparedRun& run) {
    const DatasetInfo& data = run.record.dataset;
    const DatasetInfo& first = runs[0].record.dataset;
    return data.name == first.name && data.features == first.features;
  });
}

/// The first run of each kind of figure, where figures compare.
bool is_best(const Runs& runs, std::size_t run) {
  if (!have_same_data(runs)) return false;
  const auto best = best_figure(runs[run].record);
  if (!best) return false;
  const auto before = run == 0 ? std::nullopt : best_figure(runs[run - 1].record);
  return !before || before->figure.is_error != best->figure.is_error;
}

Json rows_view(const Runs& runs, const std::vector<TableColumn>& columns) {
  Rows rows(runs.size());
  std::vector<std::string> places(runs.size());
  for (std::size_t i = 0; i < columns.size(); ++i) {
    const auto order = places_of(columns[i].keys);
    for (std::size_t run = 0; run < runs.size(); ++run) {
      rows[run].push_back(columns[i].cells[run]);
      places[run] += fmt::format("--o{}:{};", i, order[run]);
    }
  }
  Json view = table_view("", {}, rows)["rows"];
  for (std::size_t run = 0; run < runs.size(); ++run) {
    Json& row = view[run];
    row["places"] = places[run];
    row["best"] = is_best(runs, run);
    row["page"] = runs[run].page;
    row["curve"] = has_curves(runs, run) ? fmt::format("{}", run + 1) : "";
    for (Json& cell : row["cells"]) {
      cell["long"] = cell["text"].get_ref<const std::string&>().size() > kLongText;
    }
  }
  return view;
}

using EpochValue = std::optional<double> (*)(const EpochRecord&);

/// Curves of runs of one kind; those of the others are left out, so that colours stay.
Json compared_curves(const Runs& runs, bool of_classifiers, const std::string& title,
                     const char* y_label, const char* unit, EpochValue value) {
  LineChart chart{
      .x_label = "epoch", .y_label = y_label, .unit = unit, .description = "", .series = {}};
  const LineChart::Series* lowest = nullptr;
  double least = 0;
  for (std::size_t i = 0; i < std::min(runs.size(), kMostCurves); ++i) {
    chart.series.push_back({runs[i].name, {}});
    if (trains_classifier(runs[i].record) != of_classifiers) continue;
    for (const EpochRecord& epoch : runs[i].record.epochs) {
      if (!is_finetuning(epoch)) continue;
      if (const std::optional<double> y = value(epoch)) {
        chart.series[i].points.push_back({static_cast<double>(epoch.epoch), *y});
      }
    }
  }
  Index drawn = 0;
  for (const auto& series : chart.series) {
    if (!series.points.empty()) ++drawn;
    for (const auto& point : series.points) {
      if (lowest != nullptr && !(point.y < least)) continue;
      lowest = &series;
      least = point.y;
    }
  }
  if (lowest == nullptr) return nullptr;
  chart.description = fmt::format("{}, {}: the lowest is {:.4g}{}, of {}.", title,
                                  plural(drawn, "run"), least, unit, lowest->name);
  const std::string svg = svg_of(chart);
  if (svg.empty()) return nullptr;
  return {{"title", title}, {"svg", svg}, {"caption", chart.description}};
}

Json compared_curves_view(const Runs& runs) {
  bool kinds[] = {false, false};
  for (std::size_t i = 0; i < runs.size(); ++i) {
    if (has_curves(runs, i)) kinds[trains_classifier(runs[i].record) ? 1 : 0] = true;
  }
  const bool mixed = kinds[0] && kinds[1];
  Json figures = Json::array();
  const auto add = [&](bool classifiers, const std::string& title, const char* y_label,
                       const char* unit, EpochValue value) {
    const char* whose = !mixed ? "" : classifiers ? " of classifiers" : " of autoencoders";
    Json figure = compared_curves(runs, classifiers, title + whose, y_label, unit, value);
    if (!figure.is_null()) figures.push_back(std::move(figure));
  };
  const EpochValue training_loss = [](const EpochRecord& e) { return std::optional(e.loss); };
  add(true, "Validation error", "error, %", " %",
      [](const EpochRecord& e) { return e.validation_error; });
  add(true, "Training loss", "loss a sample", "", training_loss);
  add(false, "Validation loss", "loss a sample", "",
      [](const EpochRecord& e) { return e.validation_loss; });
  add(false, "Training loss", "loss a sample", "", training_loss);
  if (figures.empty()) return nullptr;
  Json legend = Json::array();
  for (std::size_t i = 0; i < std::min(runs.size(), kMostCurves); ++i) {
    if (has_curves(runs, i)) legend.push_back({{"number", i + 1}, {"name", runs[i].name}});
  }
  std::string text = "By epoch of fine-tuning.";
  if (runs.size() > kMostCurves) {
    text += fmt::format(" Of {} runs the first {} of the table are drawn.",
                        grouped(static_cast<Index>(runs.size())), kMostCurves);
  }
  return {{"text", text}, {"legend", std::move(legend)}, {"figures", std::move(figures)}};
}

Json notes_of(const Runs& runs) {
  Json notes = Json::array();
  if (!have_same_data(runs)) {
    notes.push_back("The runs have different data sets: their errors do not compare.");
  }
  for (const ComparedRun& run : runs) {
    if (run.record.end() == RunEnd::kFailed) {
      const SessionRecord& last = run.record.sessions.back();
      notes.push_back(
          fmt::format("{} failed with exit code {}: {}", run.name, last.exit_code, last.failure));
    }
    if (run.record.unreadable_lines > 0) {
      notes.push_back(fmt::format("{} of metrics.jsonl and journal.jsonl of {} could not be read.",
                                  plural(run.record.unreadable_lines, "line"), run.name));
    }
  }
  return notes;
}

/// Such as "5 runs: 4 finished, 1 running or cut".
std::string summary_of(const Runs& runs) {
  std::string text = plural(static_cast<Index>(runs.size()), "run") + ":";
  const std::pair<RunEnd, const char*> ends[] = {{RunEnd::kFinished, "finished"},
                                                 {RunEnd::kStopped, "stopped"},
                                                 {RunEnd::kFailed, "failed"},
                                                 {RunEnd::kUnknown, "running or cut"}};
  for (const auto& end : ends) {
    const auto count = std::ranges::count_if(
        runs, [&](const ComparedRun& run) { return run.record.end() == end.first; });
    if (count > 0) {
      text += fmt::format("{} {} {}", text.ends_with(':') ? "" : ",", count, end.second);
    }
  }
  return text + ".";
}

/// How the curve of each position looks.
Json looks() {
  Json view = Json::array();
  for (std::size_t i = 0; i < kMostCurves; ++i) {
    const LinePattern& pattern = kPatterns[i / kColours];
    view.push_back({{"number", i + 1},
                    {"colour", i % kColours + 1},
                    {"dashes", pattern.dashes},
                    {"border", pattern.border}});
  }
  return view;
}

}  // namespace

std::string comparison_page(Comparison comparison) {
  Runs& runs = comparison.runs;
  sort_runs(runs);
  const ComparedSettings settings = compare_settings(runs);
  const auto columns = table_columns(runs, settings);
  Json rows = rows_view(runs, columns);
  Json header = Json::array();
  for (std::size_t i = 0; i < columns.size(); ++i) {
    const bool numbers = i > 0 && std::ranges::any_of(rows, [i](const Json& row) {
                           return row["cells"][i]["number"].get<bool>();
                         });
    for (Json& row : rows) row["cells"][i]["number"] = numbers;  // Also where there is none.
    header.push_back({{"column", i},
                      {"name", columns[i].name},
                      {"usual", i == kUsualColumn},
                      {"numbers", numbers}});
  }
  Rows same;
  for (const auto& [name, value] : settings.same) same.push_back({name, value});
  return render(kComparisonTemplate,
                {{"mark", kComparisonMark},
                 {"style", kReportStyle},
                 {"more_style", kComparisonStyle},
                 {"looks", looks()},
                 {"count", plural(static_cast<Index>(runs.size()), "run")},
                 {"summary", summary_of(runs)},
                 {"width", columns.size()},
                 {"columns", std::move(header)},
                 {"rows", std::move(rows)},
                 {"notes", notes_of(runs)},
                 {"curves", compared_curves_view(runs)},
                 {"same", same.empty() ? Json() : table_view("", {"Option", "Value"}, same)},
                 {"all_same", settings.different.empty()},
                 {"written", date_and_time(comparison.written)}});
}

}  // namespace sae
