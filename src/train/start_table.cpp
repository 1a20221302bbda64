#include "sae/train/start_table.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <sstream>

#include "sae/core/text.hpp"

namespace sae {
namespace {

std::string row(std::string_view name, const std::string& value) {
  return fmt::format("  {:<14} {}\n", name, value);
}

/// How many labels a run uses; empty if it uses all.
std::string labels_used(const RunSummary& summary) {
  if (summary.topology.classes == 0) return " without labels";
  if (summary.labelled_samples == summary.training_samples) return "";
  return fmt::format(" ({} with their labels)", grouped(summary.labelled_samples));
}

}  // namespace

std::string start_table(const RunSummary& summary, const Configuration& configuration,
                        const std::string& libraries) {
  const auto ranks = static_cast<Index>(summary.hosts.size());
  const std::set<std::string> hosts(summary.hosts.begin(), summary.hosts.end());
  const Index groups = groups_of(configuration);
  const Index batch = samples_per_step(configuration);
  double flop = 0;
  for (const StageSummary& stage : summary.stages) {
    flop += stage.flop_per_epoch * static_cast<double>(stage.epochs);
  }
  std::string text = libraries + "\n\n";
  text += row("data", fmt::format("{} ({})", configuration.data.string(), summary.dataset.name));
  text += row("samples",
              fmt::format("{} train{}, {} validation, {} test", grouped(summary.training_samples),
                          labels_used(summary), grouped(summary.validation_samples),
                          grouped(summary.test_samples)));
  text += row("network", fmt::format("{}, {} parameters", to_string(summary.topology),
                                     grouped(summary.parameters)));
  text += row("ranks", fmt::format("{} x {} on {}", ranks,
                                   plural(std::max<Index>(configuration.threads, 1), "thread"),
                                   plural(static_cast<Index>(hosts.size()), "host")));
  for (const std::string& host : summary.placement) text += row("", host);
  text += row("minibatch",
              fmt::format("{}{}, {}{} per rank", plural(configuration.batch_size, "sample"),
                          groups > 1 ? fmt::format(" in each of {} groups", groups) : "",
                          batch % ranks == 0 ? "" : "at most ", (batch + ranks - 1) / ranks));
  text += row("precision", describe(summary.precision));
  text += row("averaging", summary.averaging);
  text += row("codes", summary.codes);
  text += row("placement", summary.data_placement);
  text += row("seed", fmt::format("{}", configuration.seed));
  text += row("memory", fmt::format("about {} per rank; {} available on {}",
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

}  // namespace sae
