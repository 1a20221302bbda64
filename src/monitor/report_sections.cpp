// What the report shows of the training and of the model.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "line_chart.hpp"
#include "report_view.hpp"
#include "sae/core/text.hpp"
#include "sae/data/data_spec.hpp"

namespace sae {
namespace {

constexpr std::size_t kMostTableRows = 300;  // Of a table.
constexpr Index kMostClassesShown = 30;      // Of a confusion matrix that is shown as one.

std::string percent(const std::optional<double>& value) {
  return value ? fmt::format("{:.2f} %", *value) : "";
}

/// Null if nothing can be drawn.
Json figure(const LineChart& chart, const std::string& title) {
  const std::string svg = svg_of(chart);
  if (svg.empty()) return nullptr;
  Json legend = nullptr;
  if (chart.series.size() > 1) {
    for (std::size_t i = 0; i < chart.series.size(); ++i) {
      legend["items"].push_back({{"number", i + 1}, {"name", chart.series[i].name}});
    }
  }
  return {{"title", title}, {"legend", legend}, {"svg", svg}, {"caption", chart.description}};
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

Json loss_figure(const std::string& stage, const std::vector<EpochRecord>& epochs) {
  LineChart chart{
      .x_label = "epoch", .y_label = "loss a sample", .unit = "", .description = "", .series = {}};
  chart.series.push_back(
      series_of(epochs, "training", [](const auto& e) { return std::optional(e.loss); }));
  auto validation =
      series_of(epochs, "validation", [](const auto& e) { return e.validation_loss; });
  const bool classifies = epochs.front().train_error.has_value();
  if (!validation.points.empty()) chart.series.push_back(std::move(validation));
  chart.description = told(fmt::format("Loss of {}", stage).c_str(), epochs.front().loss,
                           epochs.back().loss, epochs.size(), "");
  chart.from_zero = classifies;
  return figure(chart, classifies ? stage + ": loss" : stage + ": reconstruction loss");
}

Json error_figure(const std::string& stage, const std::vector<EpochRecord>& epochs) {
  LineChart chart{.x_label = "epoch",
                  .y_label = "error, %",
                  .unit = " %",
                  .description = "",
                  .from_zero = true,
                  .series = {}};
  auto training = series_of(epochs, "training", [](const auto& e) { return e.train_error; });
  auto validation =
      series_of(epochs, "validation", [](const auto& e) { return e.validation_error; });
  if (training.points.empty()) return nullptr;
  const bool validated = !validation.points.empty();
  const auto& shown = validated ? validation.points : training.points;
  chart.description = told(validated ? "Validation error" : "Training error", shown.front().y,
                           shown.back().y, shown.size(), " %");
  chart.series.push_back(std::move(training));
  if (validated) chart.series.push_back(std::move(validation));
  return figure(chart, stage + ": error");
}

Json epochs_table(const std::vector<EpochRecord>& epochs) {
  const std::size_t every = (epochs.size() + kMostTableRows - 1) / kMostTableRows;
  Rows rows;
  for (std::size_t i = 0; i < epochs.size(); ++i) {
    const EpochRecord& e = epochs[i];
    if (i % std::max<std::size_t>(every, 1) != 0 && i + 1 != epochs.size()) continue;
    rows.push_back(
        {e.stage, fmt::format("{}", e.epoch), grouped(e.step), fmt::format("{:.5g}", e.loss),
         percent(e.train_error), percent(e.validation_error),
         (e.validation_loss ? fmt::format("{:.5g}", *e.validation_loss) : "–") +
             (e.best ? " (best)" : ""),
         fmt::format("{:.3g}", e.learning_rate), grouped(std::llround(e.samples_per_second)),
         fmt::format("{:.0f} %", 100 * e.communication_share), fmt::format("{:.1f}", e.seconds)});
  }
  return table_view(every > 1 ? fmt::format("Each {}th of {} epochs.", every, epochs.size()) : "",
                    {"Stage", "Epoch", "Updates", "Loss", "Training error", "Validation error",
                     "Validation loss", "Learning rate", "Samples/s", "Communication", "Seconds"},
                    rows);
}

/// The most frequent confusions, where there are too many classes for a matrix.
Json confusion_list(const Confusion& confusion) {
  constexpr std::size_t kPairsShown = 50;
  Rows rows;
  for (const auto& cell : confusion.worst(kPairsShown)) {
    rows.push_back(
        {fmt::format("{}", cell.label), fmt::format("{}", cell.predicted), grouped(cell.count)});
  }
  return table_view("The most frequent confusions", {"Label", "Predicted", "Samples"}, rows);
}

Json confusion_matrix(const Confusion& confusion, const std::vector<std::string>& class_names) {
  const Index classes = confusion.classes();
  const auto worst = confusion.worst(1);
  const Index most_wrong = worst.empty() ? 1 : worst[0].count;
  Json view = {{"classes", Json::array()}, {"rows", Json::array()}};
  for (Index label = 0; label < classes; ++label) {
    view["classes"].push_back(label);
    Index samples = 0;
    for (Index column = 0; column < classes; ++column) samples += confusion.count(label, column);
    Json cells = Json::array();
    for (Index column = 0; column < classes; ++column) {
      const Index count = confusion.count(label, column);
      const bool right = label == column;
      const double share = static_cast<double>(count) /
                           static_cast<double>(std::max<Index>(right ? samples : most_wrong, 1));
      cells.push_back(
          {{"count", count == 0 ? "" : grouped(count)},
           {"colour", right ? "right" : "wrong"},
           {"opacity", fmt::format("{:.2f}", right ? 0.35 * share : 0.05 + 0.7 * share)}});
    }
    const double right = static_cast<double>(confusion.count(label, label));
    view["rows"].push_back(
        {{"label", label_text(class_names, label)},
         {"cells", std::move(cells)},
         {"right", samples == 0
                       ? "–"
                       : fmt::format("{:.1f} %", 100 * right / static_cast<double>(samples))}});
  }
  return view;
}

}  // namespace

Json curves_view(const RunRecord& record) {
  std::vector<std::pair<std::string, std::vector<EpochRecord>>> stages;
  for (const EpochRecord& epoch : record.epochs) {
    if (stages.empty() || stages.back().first != epoch.stage) stages.push_back({epoch.stage, {}});
    stages.back().second.push_back(epoch);
  }
  if (stages.empty()) return nullptr;
  Json figures = Json::array();
  for (const auto& [stage, epochs] : stages) {
    for (Json shown : {loss_figure(stage, epochs), error_figure(stage, epochs)}) {
      if (!shown.is_null()) figures.push_back(std::move(shown));
    }
  }
  return {{"figures", std::move(figures)}, {"table", epochs_table(record.epochs)}};
}

Json confusion_view(const RunRecord& record) {
  const ModelResult* model = chosen_model(record);
  std::string of = "the model as it was after the last epoch, on the validation set";
  const std::optional<Evaluation>* shown = &record.validation;
  if (model != nullptr) {
    shown = model->test ? &model->test : &model->validation;
    of = fmt::format("{} on the {} set", model->file, model->test ? "test" : "validation");
  }
  if (!*shown || (*shown)->confusion.empty()) return nullptr;
  const Evaluation& evaluation = **shown;
  Json view = {
      {"text",
       fmt::format("{}: {} of {} wrong. Rows are labels, columns what the model predicted.", of,
                   grouped(evaluation.errors.value_or(0)), grouped(evaluation.samples))}};
  const bool is_small = evaluation.confusion.classes() <= kMostClassesShown;
  view["matrix"] =
      is_small ? confusion_matrix(evaluation.confusion, record.dataset.class_names) : nullptr;
  view["table"] = is_small ? nullptr : confusion_list(evaluation.confusion);
  return view;
}

Json scores_view(const RunRecord& record) {
  const ModelResult* model = chosen_model(record);
  const std::optional<Evaluation>* shown = &record.validation;
  if (model != nullptr) shown = model->test ? &model->test : &model->validation;
  if (!*shown || !(*shown)->reconstruction || (*shown)->reconstruction->percentiles.empty()) {
    return nullptr;
  }
  const ReconstructionErrors& errors = *(*shown)->reconstruction;
  LineChart chart{
      .x_label = "percent of the samples",
      .y_label = "score",
      .unit = "",
      .description = fmt::format("Scores from {:.4g} to {:.4g}, half of them below {:.4g}",
                                 errors.percentiles.front(), errors.percentiles.back(),
                                 errors.percentiles[errors.percentiles.size() / 2]),
      .from_zero = true,
      .series = {{.name = "score", .points = {}}}};
  for (std::size_t percent = 0; percent < errors.percentiles.size(); ++percent) {
    chart.series[0].points.push_back({static_cast<double>(percent), errors.percentiles[percent]});
  }
  Rows rows;
  for (const FeatureError& feature : errors.worst_features) {
    rows.push_back({feature.name.empty() ? fmt::format("{}", feature.feature) : feature.name,
                    fmt::format("{:.4g}", feature.mean)});
  }
  return {
      {"text", fmt::format("The score of a sample is the mean squared error of its scaled "
                           "features: {:.4g} on average over {} {} samples.",
                           errors.mean, grouped((*shown)->samples),
                           model != nullptr && model->test ? "test" : "validation")},
      {"figures", Json::array({figure(chart, "Scores that so many samples do not exceed")})},
      {"table", table_view("Features that are rebuilt worst", {"Feature", "Squared error"}, rows)}};
}

Json hardest_view(const Report& report) {
  const ModelResult* model = chosen_model(report.record);
  if (model == nullptr || model->hardest.empty()) return nullptr;
  const bool classifies = model->hardest.front().predicted >= 0;
  Json samples = Json::array();
  for (std::size_t i = 0; i < model->hardest.size(); ++i) {
    const HardSample& hard = model->hardest[i];
    const auto& pictures = report.pictures.hardest;
    const auto& names = report.record.dataset.class_names;
    const std::string title = classifies ? fmt::format("{} → {}", label_text(names, hard.label),
                                                       label_text(names, hard.predicted))
                                         : fmt::format("{:.4g}", hard.loss);
    Json sample = {{"picture", i < pictures.size() ? Json(pictures[i]) : Json()},
                   {"title", title},
                   {"sample", grouped(hard.sample)}};
    sample["sure"] = nullptr;
    if (classifies) {
      sample["sure"] = {{"percent", fmt::format("{:.0f}", 100 * hard.confidence)},
                        {"loss", fmt::format("{:.2f}", hard.loss)}};
    }
    samples.push_back(std::move(sample));
  }
  const char* what = classifies
                         ? "the largest loss of {}: label → what the model predicted, and how "
                           "sure it was"
                         : "the largest errors of {}: their scores";
  return {{"text", fmt::format("The {} {} samples with {}.", model->hardest.size(),
                               model->test ? "test" : "validation",
                               fmt::format(fmt::runtime(what), model->file))},
          {"samples", std::move(samples)}};
}

}  // namespace sae
