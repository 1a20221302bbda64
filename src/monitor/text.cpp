#include "sae/monitor/text.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numeric>
#include <set>
#include <sstream>
#include <vector>

#include "sae/core/print.hpp"

namespace sae {
namespace {

std::string row(std::string_view name, const std::string& value) {
  return fmt::format("  {:<14} {}\n", name, value);
}

std::string plural(Index count, std::string_view noun) {
  return fmt::format("{} {}{}", grouped(count), noun, count == 1 ? "" : "s");
}

std::string percent(const std::optional<Evaluation>& evaluation) {
  if (!evaluation) return "-";
  return fmt::format("{:.2f} % ({} of {})", evaluation->error_percent(),
                     grouped(evaluation->errors), grouped(evaluation->samples));
}

}  // namespace

std::string grouped(Index value) {
  std::string digits = fmt::format("{}", value);
  for (auto i = static_cast<Index>(digits.size()) - 3; i > (value < 0 ? 1 : 0); i -= 3) {
    digits.insert(static_cast<std::size_t>(i), 1, ',');
  }
  return digits;
}

std::string duration(double seconds) {
  const auto whole = static_cast<Index>(std::llround(std::max(seconds, 0.0)));
  if (whole >= 3600) {
    return fmt::format("{}:{:02}:{:02}", whole / 3600, whole / 60 % 60, whole % 60);
  }
  return fmt::format("{}:{:02}", whole / 60, whole % 60);
}

std::string megabytes(double bytes) { return fmt::format("{:.0f} MB", bytes / 1e6); }

std::string precision_text(Precision precision) {
  const std::string name = name_of(precision);
  return precision == Precision::kFloat32 ? name : name + " operands, float32 sums and weights";
}

std::string start_table(const RunSummary& summary, const Configuration& configuration,
                        const std::string& libraries) {
  const auto ranks = static_cast<Index>(summary.hosts.size());
  const std::set<std::string> hosts(summary.hosts.begin(), summary.hosts.end());
  const Index batch = configuration.batch_size;
  double flop = 0;
  for (const StageSummary& stage : summary.stages) {
    flop += stage.flop_per_epoch * static_cast<double>(stage.epochs);
  }
  std::string text = libraries + "\n\n";
  text += row("data", fmt::format("{} ({})", configuration.data.string(), summary.dataset.name));
  text += row("samples",
              fmt::format("{} train, {} validation, {} test", grouped(summary.training_samples),
                          grouped(summary.validation_samples), grouped(summary.test_samples)));
  text += row("network", fmt::format("{}, {} parameters", to_string(summary.topology),
                                     grouped(summary.parameters)));
  text += row("ranks", fmt::format("{} x {} on {}", ranks,
                                   plural(std::max<Index>(configuration.threads, 1), "thread"),
                                   plural(static_cast<Index>(hosts.size()), "host")));
  for (const std::string& host : summary.placement) text += row("", host);
  text += row("minibatch",
              fmt::format("{}, {}{} a rank", plural(batch, "sample"),
                          batch % ranks == 0 ? "" : "at most ", (batch + ranks - 1) / ranks));
  text += row("precision", precision_text(summary.precision));
  text += row("averaging", summary.averaging);
  text += row("codes", summary.codes);
  text += row("seed", fmt::format("{}", configuration.seed));
  text += row("memory", fmt::format("about {} a rank; {} may be taken on {}",
                                    megabytes(summary.memory_per_rank),
                                    megabytes(summary.available_memory), summary.hosts.front()));
  text += row("work", fmt::format("about {:.3g} TFLOP in matrix products", flop / 1e12));
  text += row("run folder", configuration.run.string());

  text += fmt::format("\n  {:<10} {:>6} {:>10} {:>10}\n", "stage", "epochs", "updates", "TFLOP");
  for (const StageSummary& stage : summary.stages) {
    text += fmt::format("  {:<10} {:>6} {:>10} {:>10.3g}\n", stage.name, stage.epochs,
                        grouped(stage.epochs * stage.steps_per_epoch),
                        stage.flop_per_epoch * static_cast<double>(stage.epochs) / 1e12);
  }
  text += "\n  configuration\n";
  std::istringstream lines(summary.settings);
  for (std::string line; std::getline(lines, line);) text += fmt::format("    {}\n", line);
  return text;
}

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
    fields.push_back({fmt::format("  validation {:.2f} %{}", report.validation->error_percent(),
                                  report.best ? " *" : ""),
                      6});
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

std::string confusion_table(const Confusion& confusion, const std::string& of) {
  constexpr std::size_t kMostPairs = 20;
  const Index classes = confusion.classes();
  if (classes > kReadableClasses) {
    std::string text = fmt::format("most frequent confusions{}\n  {:>5} {:>9} {:>9}\n", of, "label",
                                   "predicted", "samples");
    for (const auto& cell : confusion.worst(kMostPairs)) {
      text += fmt::format("  {:>5} {:>9} {:>9}\n", cell.label, cell.predicted, grouped(cell.count));
    }
    return text;
  }
  Index largest = 0;
  for (const auto& cell : confusion.cells()) largest = std::max(largest, cell.count);
  const std::size_t width =
      std::max(grouped(largest).size(), fmt::format("{}", classes).size()) + 1;
  std::string text = fmt::format("confusion matrix{}\n  label{:>{}}", of, "predicted", width + 9);
  text += fmt::format("\n  {:>5}", "");
  for (Index column = 0; column < classes; ++column) text += fmt::format("{:>{}}", column, width);
  text += "\n";
  for (Index label = 0; label < classes; ++label) {
    text += fmt::format("  {:>5}", label);
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
        "\n  stopped by {} after step {} with a checkpoint; to go on: the same command with "
        "--run {} --resume auto\n",
        result.stopped_by, grouped(result.step), shell_word(run_folder.string()));
  }
  std::string text =
      fmt::format("\n  {:<10} {:<18} {:<24} {}\n", "model", "", "validation error", "test error");
  for (std::size_t i = 0; i < result.models.size(); ++i) {
    const ModelResult& model = result.models[i];
    text += fmt::format("  {:<10} {:<18} {:<24} {}\n", model.file,
                        i == 0 ? "after the last" : fmt::format("best, epoch {}", model.epoch),
                        percent(model.validation), percent(model.test));
  }
  const ModelResult& chosen = result.models.back();
  if (const auto& shown = chosen.test ? chosen.test : chosen.validation) {
    const std::string of =
        fmt::format(" of {} on the {} set", chosen.file, chosen.test ? "test" : "validation");
    text += "\n  " + confusion_table(shown->confusion, of);
  }
  std::string models;
  for (const ModelResult& model : result.models) models += fmt::format("{}, ", model.file);
  text += fmt::format("\n  trained in {}; written to {}: {}metrics.jsonl, log.txt, config.cfg\n",
                      duration(result.seconds), run_folder.string(), models);
  return text;
}

}  // namespace sae
