#include <fmt/format.h>

#include <cmath>
#include <cstdio>
#include <optional>
#include <tuple>

#include "commands.hpp"
#include "model_input.hpp"
#include "outputs.hpp"
#include "sae/apply/inference_csv.hpp"
#include "sae/apply/inference_file.hpp"
#include "sae/comm/stop_signal.hpp"
#include "sae/comm/watchdog.hpp"
#include "sae/core/error.hpp"
#include "sae/core/host.hpp"
#include "sae/core/text.hpp"
#include "sae/monitor/progress_bar.hpp"
#include "sae/monitor/terminal.hpp"
#include "search.hpp"

namespace sae {
namespace {

/// Throws: UsageError if the model has no such layer.
void check_layer(const InferenceOptions& options, const Topology& topology) {
  if (options.layer > topology.hidden_layers()) {
    throw UsageError(fmt::format("The model {} has {} hidden layers, so that --layer is not {}.",
                                 options.input.model.string(), topology.hidden_layers(),
                                 options.layer));
  }
}

/// Rank 0's output files and progress bar.
class Results {
 public:
  Results(const InferenceOptions& options, const InferenceSettings& settings,
          const InferenceOrigin& origin)
      : settings_(settings),
        // Messages must not mix with values on standard output.
        out_(options.csv == "-" ? stderr : stdout),
        bar_(settings.samples.size(),
             options.quiet || options.csv == "-" ? 0 : terminal_columns().value_or(0), out_) {
    if (!options.output.empty()) file_.emplace(options.output, settings, origin);
    if (!options.csv.empty()) {
      csv_.emplace(options.csv, settings, outputs_of(settings, origin.topology));
    }
  }

  void write(const InferenceBlock& block) {
    if (file_) file_->append(block);
    if (csv_) csv_->append(block);
    bar_.show(block.samples.end - settings_.samples.begin);
  }

  void finish(const InferenceOptions& options, const std::string& what) {
    if (file_) file_->finish();
    if (csv_) csv_->finish();
    bar_.erase();
    if (options.quiet) return;
    const double rate = static_cast<double>(settings_.samples.size()) / bar_.seconds();
    fmt::print(out_, "{} in {:.1f} s, {} samples/s; written to {}\n", what, bar_.seconds(),
               grouped(std::llround(rate)), names(options));
  }

  /// Reports the stop; the destructor discards the unfinished files.
  void report_stop(Index samples) {
    bar_.erase();
    fmt::print(stderr,
               "sae_dist: Stopped by a signal after {} of {} samples: no file was written.\n",
               grouped(samples), grouped(settings_.samples.size()));
  }

 private:
  static std::string names(const InferenceOptions& options) {
    std::string csv = options.csv == "-" ? "the output" : options.csv;
    if (options.output.empty()) return csv;
    if (csv.empty()) return options.output.string();
    return fmt::format("{} and {}", options.output.string(), csv);
  }

  InferenceSettings settings_;
  std::FILE* out_;
  ProgressBar bar_;
  std::optional<InferenceFile> file_;
  std::optional<InferenceCsv> csv_;
};

std::string description(const InferenceOptions& options, const InferenceSettings& settings,
                        const std::filesystem::path& data) {
  const std::string layer = settings.kind == Inference::kPredictions
                                ? ""
                                : fmt::format(" of hidden layer {}", settings.layers);
  return fmt::format("{}: {}{} for {} samples of the {} set of {}", options.input.model.string(),
                     name_of(settings.kind), layer, grouped(settings.samples.size()),
                     options.input.split, data.string());
}

}  // namespace

ExitCode run_inference(const InferenceOptions& options, Communicator& comm) {
  const ModelInput& input = options.input;
  Watchdog watchdog(comm, std::chrono::duration<double>(input.stall_timeout),
                    {name_of(options.kind)});
  watchdog.heartbeat().begin_stage(0);
  const Checkpoint checkpoint = load_and_broadcast(input.model, comm);
  const Topology& topology = checkpoint.topology;
  const auto path = find_dataset(input.data, comm);
  DistributedDataset dataset(path, input.data_access, comm, &watchdog.heartbeat());
  if (comm.is_root()) {
    check_layer(options, topology);
    check_suits(input, path, topology, dataset.info());
    check_output(options.output, {input.model, path}, options.force);
    check_output(options.csv, {input.model, path}, options.force);
    if (options.kind == Inference::kPredictions) warn_if_untrained(input, checkpoint);
  }
  // Until here nothing is written, so a signal may end the job at once.
  install_stop_signals();
  comm.barrier();
  InferenceSettings settings;
  settings.kind = options.kind;
  settings.layers = options.layer > 0 ? options.layer : topology.hidden_layers();
  std::tie(settings.split, settings.samples) = samples_of(input, dataset.info());

  std::optional<Results> results;
  if (comm.is_root()) {
    results.emplace(
        options, settings,
        InferenceOrigin{
            .model = input.model.string(), .dataset = dataset.info(), .topology = topology});
  }
  keep_freed_memory();
  const Index done = infer(
      settings, ParameterLayout(topology), checkpoint.parameters, dataset, comm,
      [&results](const InferenceBlock& block) { results->write(block); }, stop_requested,
      &watchdog.heartbeat());
  if (done < settings.samples.size()) {
    if (results) results->report_stop(done);
    return ExitCode::kStopped;
  }
  if (results) results->finish(options, description(options, settings, path));
  comm.barrier();
  return ExitCode::kDone;
}

}  // namespace sae
