// What the report shows of the training and of the model.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "html.hpp"
#include "line_chart.hpp"
#include "report_page.hpp"
#include "sae/core/text.hpp"

namespace sae {
namespace {

constexpr std::size_t kMostTableRows = 300;  // Of a table.
constexpr Index kMostClassesShown = 30;      // Of a confusion matrix that is shown as one.

std::string percent(const std::optional<double>& value) {
  return value ? fmt::format("{:.2f} %", *value) : "";
}

std::string legend(const LineChart& chart) {
  if (chart.series.size() < 2) return {};
  std::string items;
  for (std::size_t i = 0; i < chart.series.size(); ++i) {
    items += fmt::format("<li><span class=\"key s{}\"></span>{}</li>", i + 1,
                         escaped(chart.series[i].name));
  }
  return fmt::format("<ul class=\"legend\">{}</ul>", items);
}

std::string figure(const LineChart& chart, const std::string& title, const std::string& caption) {
  const std::string svg = svg_of(chart);
  if (svg.empty()) return {};
  return fmt::format("<figure><h3>{}</h3>{}{}<figcaption>{}</figcaption></figure>\n",
                     escaped(title), legend(chart), svg, escaped(caption));
}

/// Of a stage's epochs: how the curve went, in words.
std::string told(const char* what, double first, double last, std::size_t epochs,
                 const char* unit) {
  if (epochs == 1) return fmt::format("{} after one epoch: {:.4g}{}.", what, last, unit);
  return fmt::format("{} over {} epochs: from {:.4g}{} to {:.4g}{}.", what, epochs, first, unit,
                     last, unit);
}

LineChart::Series series_of(const std::vector<EpochRecord>& epochs, const char* name,
                            auto&& value) {
  LineChart::Series series{name, {}};
  for (const EpochRecord& epoch : epochs) {
    if (const std::optional<double> y = value(epoch)) {
      series.points.push_back({static_cast<double>(epoch.epoch), *y});
    }
  }
  return series;
}

std::string loss_figure(const std::string& stage, const std::vector<EpochRecord>& epochs) {
  LineChart chart{.x_label = "epoch",
                  .y_label = "loss, nats a sample",
                  .unit = "",
                  .description = "",
                  .series = {}};
  chart.series.push_back(
      series_of(epochs, "training", [](const auto& e) { return std::optional(e.loss); }));
  auto validation =
      series_of(epochs, "validation", [](const auto& e) { return e.validation_loss; });
  const bool supervised = !validation.points.empty() || epochs.front().train_error;
  if (!validation.points.empty()) chart.series.push_back(std::move(validation));
  chart.description = told(fmt::format("Loss of {}", stage).c_str(), epochs.front().loss,
                           epochs.back().loss, epochs.size(), "");
  chart.from_zero = supervised;
  return figure(chart, supervised ? stage + ": loss" : stage + ": reconstruction loss",
                chart.description);
}

std::string error_figure(const std::string& stage, const std::vector<EpochRecord>& epochs) {
  LineChart chart{.x_label = "epoch",
                  .y_label = "error, %",
                  .unit = " %",
                  .description = "",
                  .from_zero = true,
                  .series = {}};
  auto training = series_of(epochs, "training", [](const auto& e) { return e.train_error; });
  auto validation =
      series_of(epochs, "validation", [](const auto& e) { return e.validation_error; });
  if (training.points.empty()) return {};
  const bool validated = !validation.points.empty();
  const auto& shown = validated ? validation.points : training.points;
  chart.description = told(validated ? "Validation error" : "Training error", shown.front().y,
                           shown.back().y, shown.size(), " %");
  chart.series.push_back(std::move(training));
  if (validated) chart.series.push_back(std::move(validation));
  return figure(chart, stage + ": error", chart.description);
}

std::string epochs_table(const std::vector<EpochRecord>& epochs) {
  HtmlTable table{
      .caption = "",
      .header = {"Stage", "Epoch", "Updates", "Loss", "Training error", "Validation error",
                 "Learning rate", "Samples/s", "Communication", "Seconds"},
      .rows = {}};
  const std::size_t every = (epochs.size() + kMostTableRows - 1) / kMostTableRows;
  if (every > 1) table.caption = fmt::format("Each {}th of {} epochs.", every, epochs.size());
  for (std::size_t i = 0; i < epochs.size(); ++i) {
    const EpochRecord& e = epochs[i];
    if (i % std::max<std::size_t>(every, 1) != 0 && i + 1 != epochs.size()) continue;
    table.rows.push_back(
        {escaped(e.stage), fmt::format("{}", e.epoch), grouped(e.step),
         fmt::format("{:.5g}", e.loss), percent(e.train_error),
         percent(e.validation_error) + (e.best ? " (best)" : ""),
         fmt::format("{:.3g}", e.learning_rate), grouped(std::llround(e.samples_per_second)),
         fmt::format("{:.0f} %", 100 * e.communication_share), fmt::format("{:.1f}", e.seconds)});
  }
  return html_of(table);
}

std::string picture(const ReportPicture& picture) {
  return fmt::format("<img src=\"{}\" width=\"{}\" height=\"{}\" alt=\"{}\">", escaped(picture.uri),
                     picture.width, picture.height, escaped(picture.description));
}

/// The most frequent confusions, where there are too many classes for a matrix.
std::string confusion_list(const Confusion& confusion) {
  constexpr std::size_t kMostPairs = 50;
  HtmlTable table{.caption = "The most frequent confusions",
                  .header = {"Label", "The model said", "Samples"},
                  .rows = {}};
  for (const auto& cell : confusion.worst(kMostPairs)) {
    table.rows.push_back(
        {fmt::format("{}", cell.label), fmt::format("{}", cell.predicted), grouped(cell.count)});
  }
  return html_of(table);
}

std::string confusion_matrix(const Confusion& confusion) {
  const Index classes = confusion.classes();
  const auto worst = confusion.worst(1);
  const Index most_wrong = worst.empty() ? 1 : worst[0].count;
  std::string html =
      "<div class=\"wide\" tabindex=\"0\"><table class=\"confusion\"><thead><tr><th "
      "scope=\"col\">label</th>";
  for (Index column = 0; column < classes; ++column) {
    html += fmt::format("<th scope=\"col\">{}</th>", column);
  }
  html += "<th scope=\"col\">right</th></tr></thead><tbody>\n";
  for (Index row = 0; row < classes; ++row) {
    html += fmt::format("<tr><th scope=\"row\">{}</th>", row);
    Index samples = 0;
    for (Index column = 0; column < classes; ++column) samples += confusion.count(row, column);
    for (Index column = 0; column < classes; ++column) {
      const Index count = confusion.count(row, column);
      if (count == 0) {
        html += "<td class=\"zero\">·</td>";
        continue;
      }
      const bool right = row == column;
      const double share =
          static_cast<double>(count) / static_cast<double>(right ? samples : most_wrong);
      const double opacity = right ? 0.35 * share : 0.05 + 0.7 * share;
      html += fmt::format("<td style=\"background:rgba(var(--{}),{:.2f})\">{}</td>",
                          right ? "right" : "wrong", opacity, grouped(count));
    }
    html += samples == 0 ? "<td>–</td></tr>\n"
                         : fmt::format("<td>{:.1f} %</td></tr>\n",
                                       100 * static_cast<double>(confusion.count(row, row)) /
                                           static_cast<double>(samples));
  }
  return html + "</tbody></table></div>\n";
}

}  // namespace

std::string curves_section(const RunRecord& record) {
  std::vector<std::pair<std::string, std::vector<EpochRecord>>> stages;
  for (const EpochRecord& epoch : record.epochs) {
    if (stages.empty() || stages.back().first != epoch.stage) stages.push_back({epoch.stage, {}});
    stages.back().second.push_back(epoch);
  }
  if (stages.empty()) return {};
  std::string figures;
  for (const auto& [stage, epochs] : stages) {
    figures += loss_figure(stage, epochs) + error_figure(stage, epochs);
  }
  return section("curves", "Curves",
                 fmt::format("<div class=\"grid\">\n{}</div>\n", figures) +
                     details("All values as a table", epochs_table(record.epochs)));
}

std::string pictures_sections(const ReportPictures& pictures) {
  std::string filters;
  for (const ReportPicture& filter : pictures.filters) {
    filters += fmt::format("<figure><h3>{}</h3>{}<figcaption>{}</figcaption></figure>\n",
                           escaped(filter.title), picture(filter), escaped(filter.caption));
  }
  if (!filters.empty()) filters = fmt::format("<div class=\"grid filters\">\n{}</div>\n", filters);
  std::string rows;
  for (const ReportPicture& row : pictures.reconstructions) {
    rows += fmt::format(
        "<figure><h3>{}</h3><div class=\"stack\"><ol><li>input</li><li>corrupted</li>"
        "<li>rebuilt</li></ol>{}</div><figcaption>{}</figcaption></figure>\n",
        escaped(row.title), picture(row), escaped(row.caption));
  }
  if (!rows.empty()) rows = fmt::format("<div class=\"grid\">\n{}</div>\n", rows);
  if (filters.empty() && !pictures.missing.empty()) {
    filters = fmt::format("<p class=\"note\">{}</p>\n", escaped(pictures.missing));
  }
  return section("filters", "Filters", filters) +
         section("reconstructions", "Reconstructions", rows);
}

std::string confusion_section(const RunRecord& record) {
  const ModelResult* model = chosen_model(record);
  std::string of = "the model as it was after the last epoch, on the validation set";
  const std::optional<Evaluation>* shown = &record.validation;
  if (model != nullptr) {
    shown = model->test ? &model->test : &model->validation;
    of = fmt::format("{} on the {} set", model->file, model->test ? "test" : "validation");
  }
  if (!*shown || (*shown)->confusion.empty()) return {};
  const Evaluation& evaluation = **shown;
  const Confusion& confusion = evaluation.confusion;
  const std::string text = fmt::format(
      "<p class=\"soft\">{}: {} of {} wrong. Rows are labels, columns what the model said.</p>\n",
      escaped(of), grouped(evaluation.errors), grouped(evaluation.samples));
  return section("confusion", "Confusion matrix",
                 text + (confusion.classes() <= kMostClassesShown ? confusion_matrix(confusion)
                                                                  : confusion_list(confusion)));
}

std::string hardest_section(const Report& report) {
  const ModelResult* model = chosen_model(report.record);
  if (model == nullptr || model->hardest.empty()) return {};
  const char* set = model->test ? "test" : "validation";
  std::string items;
  for (std::size_t i = 0; i < model->hardest.size(); ++i) {
    const HardSample& hard = model->hardest[i];
    std::string image;
    if (i < report.pictures.hardest.size()) image = picture(report.pictures.hardest[i]);
    items += fmt::format(
        "<li>{}<b>{} → {}</b><small>{:.0f} % sure<br>loss {:.2f}<br>no. {}</small></li>\n", image,
        hard.label, hard.predicted, 100 * hard.confidence, hard.loss, grouped(hard.sample));
  }
  return section(
      "hardest", "Hardest images",
      fmt::format("<p class=\"soft\">The {} {} images with the largest loss of {}: label → "
                  "what the model said, and how sure it was.</p>\n<ol class=\"hard\">\n{}</ol>\n",
                  model->hardest.size(), set, escaped(model->file), items));
}

}  // namespace sae
