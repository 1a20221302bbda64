#include <fmt/format.h>

#include <cmath>
#include <cstdio>
#include <optional>
#include <vector>

#include "commands.hpp"
#include "model_input.hpp"
#include "outputs.hpp"
#include "sae/apply/anomalies.hpp"
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

bool decodes(Inference kind) {
  return kind == Inference::kReconstructions || kind == Inference::kScores;
}

/// Throws: UsageError if the model has no such layer, or no classes to predict.
void check_kind(const InferenceOptions& options, const Topology& topology) {
  if (options.kind == Inference::kPredictions && topology.classes == 0) {
    throw UsageError(
        fmt::format("The model {} is an autoencoder without classes; 'sae_dist score' "
                    "and 'sae_dist encode' apply it.",
                    options.input.model.string()));
  }
  if (decodes(options.kind)) check_decoder(options.input.model, topology);
  check_layer(options.input.model, options.layer, topology);
}

/// Rank 0's output files and progress bar.
class Results {
 public:
  Results(const InferenceOptions& options, const InferenceSettings& settings,
          const InferenceOrigin& origin)
      : settings_(settings),
        collects_(options.labels_are_anomalies),
        // Messages must not mix with values on standard output.
        out_(options.csv == "-" ? stderr : stdout),
        bar_(settings.samples.size(),
             options.quiet || options.csv == "-" ? 0 : terminal_columns().value_or(0), out_) {
    if (!options.output.empty()) file_.emplace(options.output, settings, origin);
    if (!options.csv.empty()) {
      csv_.emplace(options.csv, settings, outputs_of(settings, origin.topology), origin.data);
    }
  }

  void write(const InferenceBlock& block) {
    if (file_) file_->append(block);
    if (csv_) csv_->append(block);
    bar_.show(block.positions.end);
    if (settings_.threshold) above_ += (block.values.row(0).array() > *settings_.threshold).count();
    if (!collects_) return;
    for (const float score : block.values.row(0)) scores_.push_back(score);
    for (const std::uint16_t label : block.labels)
      is_anomaly_.push_back(label > 0 && label != kNoLabel);
  }

  void finish(const InferenceOptions& options, const std::string& what) {
    if (file_) file_->finish();
    if (csv_) csv_->finish();
    bar_.erase();
    if (collects_) print_quality();
    if (options.quiet) return;
    if (settings_.threshold) {
      fmt::print(out_, "  {} of {} samples score above {:.6g}\n", grouped(above_),
                 grouped(settings_.samples.size()), *settings_.threshold);
    }
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

  void print_quality() const {
    const DetectionQuality quality = detection_quality(scores_, is_anomaly_);
    fmt::print(out_,
               "  ROC AUC            {:.4f}\n  average precision  {:.4f}  ({} of {} samples have a "
               "label above 0)\n",
               quality.roc_auc, quality.average_precision, grouped(quality.positive),
               grouped(quality.samples));
  }

  InferenceSettings settings_;
  bool collects_;    ///< Scores and labels of all samples.
  Index above_ = 0;  ///< The threshold.
  std::vector<float> scores_;
  std::vector<bool> is_anomaly_;
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

/// The threshold that the contamination asks for, on rank 0: of the scores of the validation set;
/// none if a signal came first. Collective.
std::optional<float> threshold_for(const InferenceOptions& options, InferenceSettings settings,
                                   const Checkpoint& model, DistributedDataset& dataset,
                                   Communicator& comm, Heartbeat& heartbeat) {
  settings.samples = samples_of(options.input, "validation", model, dataset, comm);
  settings.per_feature = false;
  if (comm.is_root() && settings.samples.size() == 0) {
    throw DataError(
        "--contamination needs a validation set, which the model's run did not have; "
        "give --validation-size, or --threshold.");
  }
  comm.barrier();
  std::vector<float> scores;
  const auto collect = [&scores](const InferenceBlock& block) {
    scores.insert(scores.end(), block.values.data(), block.values.data() + block.values.size());
  };
  const Index done = infer(settings, model.data, ParameterLayout(model.topology), model.parameters,
                           dataset, comm, collect, stop_requested, &heartbeat);
  if (done < settings.samples.size() || !comm.is_root()) return std::nullopt;
  return anomaly_threshold(std::move(scores), *options.contamination);
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
    check_kind(options, topology);
    check_suits(input, path, checkpoint, dataset.info());
    check_output(options.output, {input.model, path}, options.force);
    check_output(options.csv, {input.model, path}, options.force);
  }
  // Until here nothing is written, so a signal may end the job at once.
  install_stop_signals();
  comm.barrier();
  InferenceSettings settings{.kind = options.kind,
                             .layers = options.layer > 0 ? options.layer : topology.hidden_layers(),
                             .samples = samples_of(input, input.split, checkpoint, dataset, comm),
                             .per_feature = options.per_feature,
                             .threshold = {}};
  if (options.threshold) settings.threshold = static_cast<float>(*options.threshold);
  if (comm.is_root()) {
    check_not_empty(input, path, settings.samples, dataset.info());
    if (options.labels_are_anomalies && !dataset.info().has_labels(settings.samples.split())) {
      throw DataError(
          fmt::format("The data set {} has no labels in its {} split to measure the "
                      "scores by.",
                      path.string(), input.split));
    }
  }
  comm.barrier();
  keep_freed_memory();
  if (options.contamination) {
    settings.threshold =
        threshold_for(options, settings, checkpoint, dataset, comm, watchdog.heartbeat());
  }

  std::optional<Results> results;
  if (comm.is_root()) {
    results.emplace(options, settings,
                    InferenceOrigin{.model = input.model.string(),
                                    .dataset = dataset.info(),
                                    .topology = topology,
                                    .data = checkpoint.data});
  }
  const Index done = infer(
      settings, checkpoint.data, ParameterLayout(topology), checkpoint.parameters, dataset, comm,
      [&results](const InferenceBlock& block) { results->write(block); }, stop_requested,
      &watchdog.heartbeat());
  if (done < settings.samples.size()) {
    if (results) results->report_stop(done);
    return ExitCode::kStopped;
  }
  if (results) {
    results->finish(options, description(options, settings, path));
    if (options.kind == Inference::kPredictions) warn_if_untrained(input, checkpoint);
    if (decodes(options.kind)) warn_if_decoder_is_old(input, checkpoint);
  }
  comm.barrier();
  return ExitCode::kDone;
}

}  // namespace sae
