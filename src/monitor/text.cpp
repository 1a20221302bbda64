#include "sae/monitor/text.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numeric>
#include <set>
#include <sstream>
#include <vector>

#include "sae/core/print.hpp"
#include "sae/core/text.hpp"
#include "sae/data/data_spec.hpp"

namespace sae {
namespace {

std::string figure_of(const std::optional<Evaluation>& evaluation) {
  if (!evaluation) return "-";
  if (!evaluation->errors) {
    return fmt::format("{:.4g}, loss {:.5g}", evaluation->reconstruction->mean, evaluation->loss);
  }
  return fmt::format("{:.2f} % ({} of {})", evaluation->error_percent(),
                     grouped(*evaluation->errors), grouped(evaluation->samples));
}

}  // namespace

std::string epoch_line(const EpochReport& report, std::size_t columns) {
  struct Field {
    std::string text;
    int importance;  // The least goes first where there is no room.
  };
  std::vector<Field> fields = {
      {fmt::format("{:<9} epoch {:>3}/{:<3} loss {:<9.4f}", report.stage, report.epoch,
                   report.epochs, report.loss),
       9},
      {fmt::format(" rate {:<7.3g}", report.learning_rate), 2},
      {fmt::format(" {:>8} samples/s", grouped(std::llround(report.samples_per_second))), 3},
      {fmt::format("  comm {:>2.0f} %", 100 * report.communication_share), 1},
      {fmt::format("  {:>5.1f} s", report.seconds), 4}};
  if (report.train_error)
    fields.push_back({fmt::format("  train {:.2f} %", *report.train_error), 5});
  if (report.validation) {
    const std::string figure = report.validation->errors
                                   ? fmt::format("{:.2f} %", report.validation->error_percent())
                                   : fmt::format("loss {:.4f}", report.validation->loss);
    fields.push_back({fmt::format("  validation {}{}", figure, report.best ? " *" : ""), 6});
  }
  const auto length = [&fields] {
    return std::accumulate(fields.begin(), fields.end(), std::size_t{0},
                           [](std::size_t sum, const Field& f) { return sum + f.text.size(); });
  };
  while (length() > columns && fields.size() > 1) {
    fields.erase(std::ranges::min_element(fields, {}, &Field::importance));
  }
  std::string line;
  for (const Field& field : fields) line += field.text;
  return line;
}

std::string confusion_table(const Confusion& confusion, const std::string& of,
                            const std::vector<std::string>& class_names) {
  constexpr std::size_t kPairsShown = 20;
  const Index classes = confusion.classes();
  if (classes > kReadableClasses) {
    std::string text = fmt::format("most frequent confusions{}\n  {:>5} {:>9} {:>9}\n", of, "label",
                                   "predicted", "samples");
    for (const auto& cell : confusion.worst(kPairsShown)) {
      text += fmt::format("  {:>5} {:>9} {:>9}\n", cell.label, cell.predicted, grouped(cell.count));
    }
    return text;
  }
  Index largest = 0;
  for (const auto& cell : confusion.cells()) largest = std::max(largest, cell.count);
  const std::size_t width =
      std::max(grouped(largest).size(), fmt::format("{}", classes).size()) + 1;
  std::vector<std::string> labels;
  std::size_t longest = std::string_view("label").size();
  for (Index label = 0; label < classes; ++label) {
    // Numbers stand at the right, names at the left.
    labels.push_back(class_names.empty() ? fmt::format("{:>{}}", label, longest)
                                         : label_text(class_names, label));
    longest = std::max(longest, labels.back().size());
  }
  std::string text = fmt::format("confusion matrix{}\n  {:<{}}{:>{}}", of, "label", longest,
                                 "predicted", width + 9);
  text += fmt::format("\n  {:>{}}", "", longest);
  for (Index column = 0; column < classes; ++column) text += fmt::format("{:>{}}", column, width);
  text += "\n";
  for (Index label = 0; label < classes; ++label) {
    text += fmt::format("  {:<{}}", labels[static_cast<std::size_t>(label)], longest);
    for (Index column = 0; column < classes; ++column) {
      const Index count = confusion.count(label, column);
      text += fmt::format("{:>{}}", count == 0 ? "." : grouped(count), width);
    }
    text += "\n";
  }
  return text;
}

std::string result_table(const RunResult& result, const std::filesystem::path& run_folder) {
  if (result.stopped) {
    return fmt::format(
        "\n  stopped by {} after step {}; a checkpoint is saved. To resume: the same command "
        "with --run {} --resume auto\n",
        result.stopped_by, grouped(result.step), shell_word(run_folder.string()));
  }
  const auto& first = result.models.front();
  const bool classifies =
      (first.test && first.test->errors) || (first.validation && first.validation->errors);
  const char* figure = classifies ? "error" : "squared error";
  std::string text =
      fmt::format("\n  {:<10} {:<18} {:<24} {}\n", "model", "",
                  fmt::format("validation {}", figure), fmt::format("test {}", figure));
  for (std::size_t i = 0; i < result.models.size(); ++i) {
    const ModelResult& model = result.models[i];
    text += fmt::format("  {:<10} {:<18} {:<24} {}\n", model.file,
                        i == 0 ? "after the last" : fmt::format("best, epoch {}", model.epoch),
                        figure_of(model.validation), figure_of(model.test));
  }
  const ModelResult& chosen = result.models.back();
  if (const auto& shown = chosen.test ? chosen.test : chosen.validation; shown && shown->errors) {
    const std::string of =
        fmt::format(" of {} on the {} set", chosen.file, chosen.test ? "test" : "validation");
    text += "\n  " + confusion_table(shown->confusion, of, result.class_names);
  }
  std::string models;
  for (const ModelResult& model : result.models) models += fmt::format("{}, ", model.file);
  text += fmt::format("\n  trained in {}; written to {}: {}metrics.jsonl, log.txt, config.cfg\n",
                      duration(result.seconds), run_folder.string(), models);
  return text;
}

}  // namespace sae
