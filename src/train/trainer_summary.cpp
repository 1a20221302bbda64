// What a run reports: the start table, the results, and warnings about the loss.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <set>
#include <utility>

#include "layer_statistics.hpp"
#include "preview.hpp"
#include "sae/comm/placement.hpp"
#include "sae/config/settings.hpp"
#include "sae/core/host.hpp"
#include "sae/model/finished_model.hpp"
#include "sae/train/trainer.hpp"

namespace sae {
namespace {

constexpr Index kPreviewSamples = 20;

void name_features(std::vector<FeatureError>& features, const DatasetInfo& info) {
  if (info.feature_names.empty()) return;
  for (FeatureError& error : features) {
    error.name = info.feature_names[static_cast<std::size_t>(error.feature)];
  }
}

}  // namespace

RunSummary Trainer::summary() {
  RunSummary result;
  result.topology = layout_.topology();
  result.dataset = data_->info;
  result.shows_pixels =
      !data_->scaling.is_used() && layout_.topology().visible == Visible::kBernoulli;
  result.parameters = layout_.size();
  result.training_samples = data_->training.set_size();
  result.labelled_samples = classifies() ? data_->shard_for(true).set_size() : 0;
  result.validation_samples = data_->validation.set_size();
  result.test_samples = data_->test.set_size();
  const Placement placement = gather_placement(comm_);
  result.hosts = placement.hosts;
  result.placement = describe(placement);
  result.notes = control_.notes;
  if (session_) {
    for (const auto& notes : {session_->notes, session_->decisions}) {
      result.notes.insert(result.notes.end(), notes.begin(), notes.end());
    }
    result.history = session_->history;
  }
  result.step = state_.progress.step;
  result.live_parameters = averaging_->parameters_ref().values;
  result.preview =
      first_samples(data_->validation.set_size() > 0 ? data_->validation : data_->training,
                    kPreviewSamples, comm_);
  if (distorter_) {
    result.distorted = distorter_->preview(configuration_.seed, result.preview.inputs);
  }
  result.averaging = averaging_->description();
  result.precision = precision_of(configuration_);
  result.settings = to_text(configuration_);
  result.codes = codes_.description;
  result.data_placement = placement_.description;
  for (const Stage& stage : stages_) {
    const Index samples = training_shard(stage).set_size();
    const double flop =
        stage.objective->flop_per_sample(codes_.layers_kept(stage)) * static_cast<double>(samples);
    result.stages.push_back({stage.name, stage.epochs, steps_of_epoch(samples), flop});
  }
  for (Index layer = 0; layer < layout_.topology().hidden_layers(); ++layer) {
    result.pretraining.push_back(denoising_settings(configuration_, layer, data_->donors));
  }
  // Joint training keeps some ten values of each unit, and samples for the statistics of batches.
  const Topology& topology = layout_.topology();
  Index units_of_all = topology.inputs;
  for (const LayerSpec& layer : topology.hidden) units_of_all += layer.units;
  const bool joint = !topology.reconstructs() || configuration_.finetune == Finetune::kJoint;
  const bool batches = topology.normalization == Normalization::kBatch;
  // Upper bound. Vectors of parameter size: parameters, gradient; on rank 0 a copy for the
  // checkpoint, the image of its file, the best model; three of each slot; three that groups meet
  // by. Also shards, the order of an epoch, cached codes, three windows, and inputs, codes and
  // deltas of a minibatch.
  const auto vectors = static_cast<double>(5 + 3 * averaging_->slots().size() +
                                           (configuration_.averaging == Averaging::kLocal ? 3 : 0));
  const auto units =
      static_cast<double>(joint ? 10 * units_of_all : topology.inputs + 3 * topology.widest());
  const auto shards =
      static_cast<double>(data_->training.size_bytes() + data_->validation.size_bytes() +
                          data_->test.size_bytes()) +
      8.0 * static_cast<double>(data_->training.samples().size()) +
      (codes_.used ? bytes_of_codes(configuration_, data_->training.samples().size()) : 0);
  result.available_memory = available_memory();
  const Index local_batch = steps_per_epoch(samples_per_step(configuration_), comm_.size());
  const std::set<std::string> nodes(result.hosts.begin(), result.hosts.end());
  const double replicas = placement_.replicated
                              ? bytes_to_replicate() * static_cast<double>(nodes.size()) /
                                    static_cast<double>(comm_.size())
                              : 0;
  result.memory_per_rank =
      4 * vectors * static_cast<double>(layout_.size()) + shards + replicas +
      3.0 * static_cast<double>(EpochStream::window_bytes(data_->training.format(), local_batch)) +
      4 * units * static_cast<double>(local_batch) +
      (batches ? 8.0 * static_cast<double>(std::max(topology.inputs, topology.widest()) *
                                           steps_per_epoch(kStatisticsSamples, comm_.size()))
               : 0);
  return result;
}

RunResult Trainer::evaluate_models(bool stopped) {
  RunResult result;
  result.stopped = stopped;
  if (stopped) result.stopped_by = why_stopped();
  result.step = state_.progress.step;
  result.seconds = seconds_of_session();
  if (stopped) return result;
  result.class_names = data_->info.class_names;
  constexpr Index kHardSamples = 50;
  const RunFolder folder(configuration_.run);
  const Shard& shown_set = data_->test.set_size() > 0 ? data_->test : data_->validation;
  const auto evaluate_model = [&](const std::string& file, Index epoch,
                                  const ParameterLayout& layout,
                                  const ParametersRef<float>& parameters) {
    ModelResult model{.file = file, .epoch = epoch, .validation = {}, .test = {}, .hardest = {}};
    HardSamples hard(kHardSamples);
    const auto evaluate_on = [&](const Shard& set) -> std::optional<Evaluation> {
      if (set.set_size() == 0) return std::nullopt;
      Evaluation found = evaluate(layout, parameters, set, comm_, control_.heartbeat,
                                  &set == &shown_set ? &hard : nullptr);
      if (found.samples == 0) return std::nullopt;
      if (found.reconstruction) name_features(found.reconstruction->worst_features, data_->info);
      return found;
    };
    model.validation = evaluate_on(data_->validation);
    model.test = evaluate_on(data_->test);
    model.hardest = hard.gather(shown_set, comm_);
    if (&shown_set == &data_->validation) {
      for (HardSample& sample : model.hardest) {
        sample.sample = data_->validation_set.sample_at(sample.sample);
      }
    }
    return model;
  };
  result.models.push_back(evaluate_model(folder.model().filename(), configuration_.finetune_epochs,
                                         layout_, {model_parameters(), {}}));
  if (state_.best && state_.best->step == state_.progress.step) {
    ModelResult last = result.models.front();
    last.file = folder.best().filename();
    last.epoch = state_.best->epoch;
    result.models.push_back(std::move(last));
  } else if (state_.best) {
    const ParameterLayout layout(finished(layout_.topology()));
    Vector<float> best =
        comm_.is_root() ? session_->best().parameters : Vector<float>(layout.size());
    comm_.broadcast(
        std::as_writable_bytes(std::span(best.data(), static_cast<std::size_t>(layout.size()))), 0);
    result.models.push_back(
        evaluate_model(folder.best().filename(), state_.best->epoch, layout, best));
  }
  result.seconds = seconds_of_session();
  return result;
}

void Trainer::warn_of_no_progress(const Stage& stage, double loss) {
  constexpr double kRise = 2;
  constexpr double kOfGuessing = 0.99;
  if (clock_.loss_warned) return;
  // What diverged while layers were pretrained may show only here.
  const char* rate = !stage.finetunes ? "--pretrain-learning-rate"
                     : pretrains(configuration_)
                         ? "--finetune-learning-rate or --pretrain-learning-rate"
                         : "--finetune-learning-rate";
  const double guessing = classifies() && configuration_.finetune != Finetune::kJoint
                              ? std::log(static_cast<double>(layout_.topology().classes))
                              : 0;
  std::string what;
  if (state_.start_loss > 0 && loss > kRise * state_.start_loss) {
    what = fmt::format("is {:.1f} times that of the first update, {:.4g}", loss / state_.start_loss,
                       state_.start_loss);
  } else if (stage.finetunes && state_.progress.epoch > 1 && guessing > 0 &&
             loss > kOfGuessing * guessing) {
    what = fmt::format("is no better than by guessing among {} classes, {:.4g}",
                       layout_.topology().classes, guessing);
  } else {
    return;
  }
  clock_.loss_warned = true;
  observer_.warning(fmt::format(
      "The loss of epoch {} of {}, {:.4g}, {}: training may diverge; a lower {} may help.",
      state_.progress.epoch, stage.name, loss, what, rate));
}

}  // namespace sae
