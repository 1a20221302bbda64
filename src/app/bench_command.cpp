#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <set>

#include "commands.hpp"
#include "outputs.hpp"
#include "sae/bench/bench.hpp"
#include "sae/comm/mpi_session.hpp"
#include "sae/comm/watchdog.hpp"
#include "sae/core/host.hpp"
#include "sae/core/text.hpp"
#include "sae/kernels/products.hpp"
#include "sae/storage/output_file.hpp"
#include "sae/train/stage.hpp"
#include "threads.hpp"
#include "version.hpp"

namespace sae {
namespace {

/// Resolves `auto` as in training. Collective.
BenchSettings decided_settings(const BenchOptions& options, Communicator& comm) {
  BenchSettings settings = options.bench;
  Configuration& configuration = settings.configuration;
  const bool native = all_have_native_bfloat16(comm);
  if (!configuration.precision) {
    configuration.precision = native ? Precision::kBfloat16 : Precision::kFloat32;
  }
  if (!configuration.gradient_precision) configuration.gradient_precision = configuration.precision;
  decide_local_groups(configuration, nullptr, comm);
  for (const std::string& sentence : decide_threads(configuration, comm)) {
    if (comm.is_root()) fmt::print(stderr, "sae_dist: warning: {}.\n", sentence);
  }
  return settings;
}

std::string libraries() {
  return fmt::format("sae_dist {}, {}, {}", kVersion, MpiSession::library_version(),
                     kernel_description());
}

std::string milliseconds(double seconds) { return fmt::format("{:.3f}", 1e3 * seconds); }

/// Such as "85%"; "-" if it is not known.
std::string percent(double share) { return share > 0 ? fmt::format("{:.0f}%", 100 * share) : "-"; }

std::string head(const BenchReport& report, const BenchSettings& settings) {
  const Configuration& configuration = settings.configuration;
  const std::set<std::string> hosts(report.hosts.begin(), report.hosts.end());
  const auto ranks = static_cast<Index>(report.hosts.size());
  const Index batch = samples_per_step(configuration);
  std::string text = libraries() + "\n\n";
  const auto row = [&](const char* name, const std::string& value) {
    text += fmt::format("  {:<14} {}\n", name, value);
  };
  row("network",
      fmt::format("{}, {} parameters", to_string(report.topology), grouped(report.parameters)));
  row("ranks", fmt::format("{} x {} thread{} on {} host{} ({})", ranks, configuration.threads,
                           configuration.threads == 1 ? "" : "s", hosts.size(),
                           hosts.size() == 1 ? "" : "s", fmt::join(hosts, ", ")));
  row("minibatch", fmt::format("{} samples, {}{} per rank", grouped(batch),
                               batch % ranks == 0 ? "" : "at most ", (batch + ranks - 1) / ranks));
  row("precision", describe(precision_of(configuration)));
  row("averaging", report.averaging);
  row("codes", report.codes);
  row("placement", report.data_placement);
  row("momentum", fmt::format("{}", configuration.momentum));
  row("times", fmt::format("medians over {} s each, mean of ranks", settings.seconds));
  return text;
}

std::string products_table(const BenchReport& report) {
  std::string text =
      fmt::format("\n  {:<12} {:>8} {:>8} {:>8} {:>10} {:>10} {:>9} {:>5}\n", "product", "outputs",
                  "inputs", "samples", "result", "ms", "GF/s", "peak");
  for (const ProductRate& rate : report.products) {
    text += fmt::format("  {:<12} {:>8} {:>8} {:>8} {:>10} {:>10} {:>9.1f} {:>5}\n", rate.kind,
                        rate.outputs, rate.inputs, rate.samples,
                        rate.wide_result ? "float32" : "bfloat16", milliseconds(rate.seconds),
                        rate.flop_per_second() / 1e9, percent(rate.share_of_peak()));
  }
  const auto fastest = std::ranges::max_element(report.products, {}, &ProductRate::peak);
  if (fastest == report.products.end() || fastest->peak == 0) return text;
  return text + fmt::format(
                    "\n  peak: of a rank's instructions on registers alone, in turn; {:.1f} GF/s "
                    "at best\n",
                    fastest->peak / 1e9);
}

std::string memory_table(const BenchReport& report) {
  std::string text =
      fmt::format("\n  {:<20} {:>10} {:>10} {:>13}\n", "memory", "MB", "ms", "GB/s per rank");
  for (const MemoryRate& rate : report.memory) {
    text += fmt::format("  {:<20} {:>10.2f} {:>10} {:>13.2f}\n", rate.pass, rate.bytes / 1e6,
                        milliseconds(rate.seconds), rate.bytes_per_second() / 1e9);
  }
  return text;
}

std::string reductions_table(const BenchReport& report) {
  if (report.reductions.empty()) return "\n  reduction: none, there is one rank\n";
  std::string text = fmt::format("\n  {:<24} {:>10} {:>13} {:>10} {:>10} {:>8}\n", "averaging",
                                 "kB", "reduction ms", "update ms", "both ms", "GB/s");
  for (const ReductionRate& rate : report.reductions) {
    text += fmt::format("  {:<24} {:>10.0f} {:>13} {:>10} {:>10} {:>8.2f}\n", rate.strategy,
                        rate.bytes / 1024, milliseconds(rate.reduction_seconds),
                        milliseconds(rate.update_seconds), milliseconds(rate.seconds()),
                        rate.bytes_per_second() / 1e9);
  }
  return text;
}

std::string stages_table(const BenchReport& report) {
  std::string text = fmt::format(
      "\n  {:<10} {:>7} {:>9} {:>8} {:>9} {:>8} {:>8} {:>8} {:>6} {:>5} {:>9}\n", "stage", "data",
      "products", "elemwise", "reduction", "update", "step", "bound", "ratio", "peak", "samples/s");
  for (const StageBench& stage : report.stages) {
    text += fmt::format(
        "  {:<10} {:>7} {:>9} {:>8} {:>9} {:>8} {:>8} {:>8} {:>6.2f} {:>5} {:>9}\n", stage.stage,
        milliseconds(stage.data_seconds), milliseconds(stage.products_seconds),
        milliseconds(stage.elementwise_seconds()), milliseconds(stage.reduction_seconds),
        milliseconds(stage.update_seconds), milliseconds(stage.step_seconds),
        milliseconds(stage.bound_seconds()), stage.step_to_bound(), percent(stage.share_of_peak()),
        grouped(static_cast<Index>(stage.samples_per_second())));
  }
  return text +
         "\n  Times in ms. bound: the products at the rates above, and the update's bytes at the\n"
         "  bandwidth above; ratio: step / bound; peak: the step's products, of what the\n"
         "  instructions could do in its time.\n";
}

std::string steps_table(const BenchReport& report) {
  std::string text = fmt::format("\n  {:<10} {:>8} {:>10} {:>10} {:>8} {:>8} {:>10}\n", "stage",
                                 "data", "objective", "reduction", "update", "step", "samples/s");
  for (const StageBench& stage : report.stages) {
    text += fmt::format("  {:<10} {:>8} {:>10} {:>10} {:>8} {:>8} {:>10}\n", stage.stage,
                        milliseconds(stage.data_seconds), milliseconds(stage.objective_seconds),
                        milliseconds(stage.reduction_seconds), milliseconds(stage.update_seconds),
                        milliseconds(stage.step_seconds),
                        grouped(static_cast<Index>(stage.samples_per_second())));
  }
  return text + "\n  Times in ms.\n";
}

}  // namespace

void run_bench_command(const BenchOptions& options, Communicator& comm) {
  if (comm.is_root()) check_output(options.json, {}, options.force);
  // There is one heartbeat per measurement: allow for its length.
  const std::chrono::duration<double> timeout(options.stall_timeout + 10 * options.bench.seconds);
  Watchdog watchdog(comm, timeout, {"bench"});
  watchdog.heartbeat().begin_stage(0);
  BenchSettings settings = decided_settings(options, comm);
  settings.heartbeat = &watchdog.heartbeat();
  set_product_threads(static_cast<int>(settings.configuration.threads));
  const BenchReport report = run_bench(settings, comm);
  if (!comm.is_root()) return;
  const std::string json = bench_json(report, settings, libraries());
  if (options.json == "-") {
    fmt::print("{}", json);
    return;
  }
  fmt::print("{}", head(report, settings));
  if (settings.steps_only) {
    fmt::print("{}", steps_table(report));
  } else {
    fmt::print("{}{}{}{}", products_table(report), memory_table(report), reductions_table(report),
               stages_table(report));
  }
  if (!options.json.empty()) write_text_file(options.json, json);
}

}  // namespace sae
