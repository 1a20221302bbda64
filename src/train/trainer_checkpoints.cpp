// How a run begins and is resumed.
#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <numeric>
#include <span>
#include <system_error>
#include <utility>

#include "sae/config/settings.hpp"
#include "sae/core/error.hpp"
#include "sae/model/stacked_autoencoder.hpp"
#include "sae/storage/output_file.hpp"
#include "sae/train/trainer.hpp"

namespace sae {
namespace {

using Clock = std::chrono::steady_clock;

constexpr Index kMostDivergences = 3;

/// The data set on one line: what must be the same to go on.
std::string describe(const DatasetInfo& info) {
  return fmt::format("{}: {} + {} samples of {} {} pixels, {} classes", info.name, info.train_count,
                     info.test_count, info.features,
                     info.pixel_type == PixelType::kUint8 ? "uint8" : "float32", info.classes);
}

/// Refuses a data set that cannot serve the configuration.
void check_dataset(const Configuration& configuration, const DatasetInfo& info) {
  const std::string data = configuration.data.string();
  if (!info.has_train_labels) {
    throw DataError(
        fmt::format("The data set {} has no /train/labels to train a classifier with.", data));
  }
  if (info.train_count > Index{0xffffffff}) {
    throw DataError(
        fmt::format("The data set {} has {} training samples; at most 2^32 - 1 can be "
                    "told apart by the random numbers.",
                    data, info.train_count));
  }
  if (configuration.validation_size >= info.train_count) {
    throw DataError(fmt::format(
        "A validation set of {} samples (--validation-size) leaves nothing to train on: {} has {} "
        "training samples.",
        configuration.validation_size, data, info.train_count));
  }
}

/// By memcpy, which goes past the caches where they are too small: they hold the weights.
void copy_into(Vector<float>& to, std::span<const float> from) {
  to.resize(static_cast<Index>(from.size()));
  std::copy(from.begin(), from.end(), to.data());
}

void copy_into(std::span<float> to, const Vector<float>& from) {
  std::copy(from.begin(), from.end(), to.begin());
}

}  // namespace

Trainer::Trainer(const Configuration& configuration, const RunControl& control,
                 DistributedDataset& dataset, Communicator& comm, TrainingObserver& observer)
    : configuration_(configuration),
      control_(control),
      dataset_(dataset),
      comm_(comm),
      observer_(observer),
      folder_(configuration.run),
      layout_(topology_for(configuration, dataset.info())),
      reproducible_sum_(comm, control.heartbeat),
      training_(dataset.record_format(), 0, {}),
      validation_(training_),
      test_(training_) {
  const PhaseScope scope(control.heartbeat, Phase::kFile);
  const DatasetInfo& info = dataset.info();
  std::filesystem::path newest;
  std::optional<FoundCheckpoint> found;
  // On rank 0, before the others wait for data: one message, not one a rank.
  if (comm.is_root()) {
    check_dataset(configuration, info);
    newest = newest_checkpoint_name(folder_);
    found = find_checkpoint();
    // Unsuitable settings are told by one rank.
    if (found) recorded_configuration(found->checkpoint.config);
  }
  comm.barrier();
  const std::string recorded = comm.allgather(found ? found->checkpoint.config : "")[0];
  std::optional<Configuration> begun;
  if (!recorded.empty()) begun = recorded_configuration(recorded);
  decide_precision(begun);
  stages_ = plan_stages(configuration_, layout_);
  const Index validation_size = configuration.validation_size;
  training_ = dataset.load_shard(Split::kTrain, {validation_size, info.train_count});
  // Blocks make sums, and thereby bits: --reproducible keeps them whole.
  const Index whole = configuration.reproducible ? kEvaluationBlock : 1;
  validation_ = dataset.load_shard(Split::kTrain, {0, validation_size}, whole);
  test_ = dataset.load_shard(Split::kTest, {0, info.has_test_labels ? info.test_count : 0}, whole);
  data_digest_ = digest_of_data();
  averaging_ = std::make_unique<GradientAveraging>(layout_, averaging_settings(configuration_),
                                                   comm, control.heartbeat);
  if (!found) restart();
  codes_ =
      decide_code_caching(configuration_, training_.set_size(), begun ? &*begun : nullptr, comm);
  if (configuration_.cache_codes == CacheCodes::kAuto) {
    configuration_.cache_codes = codes_.used ? CacheCodes::kOn : CacheCodes::kOff;
  }
  // Once all ranks have read theirs, so that unsuitable data leave nothing behind.
  comm.barrier();
  if (comm.is_root()) begin(std::move(found), newest);
  share_state();
}

Trainer::~Trainer() = default;

std::uint64_t Trainer::digest_of_data() const {
  std::uint64_t result = 0;
  for (const Shard* set : {&training_, &validation_, &test_}) {
    const std::uint64_t own = digest(*set);
    const auto of_ranks = comm_.allgather_values(std::span(&own, 1));
    const std::uint64_t sum = std::accumulate(of_ranks.begin(), of_ranks.end(), std::uint64_t{0});
    result = std::rotl(result, 21) ^ sum;  // So that no two sets can change places.
  }
  return result;
}

void Trainer::decide_precision(const std::optional<Configuration>& begun) {
  const bool native = all_have_native_bfloat16(comm_);
  const auto decide = [&](const char* name, std::optional<Precision> Configuration::*precision,
                          Precision here) {
    if (configuration_.*precision) return;
    configuration_.*precision = begun ? ((*begun).*precision).value_or(here) : here;
    if (configuration_.*precision == here) return;
    decisions_.push_back(
        fmt::format("--{} auto stays {}, as the run began; a run that begins here would take {}",
                    name, name_of(*(configuration_.*precision)), name_of(here)));
  };
  decide("precision", &Configuration::precision,
         native ? Precision::kBfloat16 : Precision::kFloat32);
  decide("gradient-precision", &Configuration::gradient_precision,
         configuration_.reproducible ? Precision::kFloat32 : precision_of(configuration_));
  if (configuration_.precision == Precision::kBfloat16 && !native) {
    warnings_.emplace_back(
        "Not all processors multiply bfloat16: its products are slow there, and slower than those "
        "of float32.");
  }
}

void Trainer::restart() {
  if (comm_.is_root()) {
    Vector<float> initial;
    initialize_parameters(layout_, configuration_.seed, initial, configuration_.initial_scale);
    copy_into(averaging_->parameters(), initial);
    averaging_->reset_slots();
  }
  state_ = {.divergences = state_.divergences, .data_digest = data_digest_};
  history_.clear();
}

std::optional<FoundCheckpoint> Trainer::find_checkpoint() const {
  switch (control_.resume) {
    case Resume::kNever:
      if (!folder_.holds_run()) return std::nullopt;
      throw OutputError(
          fmt::format("The run folder {} already holds a run; go on with it by "
                      "--resume auto, or choose another with --run.",
                      folder_.path().string()));
    case Resume::kFile:
      return FoundCheckpoint{control_.resume_file, load_checkpoint(control_.resume_file), {}};
    case Resume::kAuto:
    case Resume::kRequired:
      break;
  }
  auto found = find_newest_checkpoint(folder_);
  if (!found && control_.resume == Resume::kRequired) {
    throw MissingInputError(
        fmt::format("There is no checkpoint to resume in {}.", folder_.checkpoints().string()));
  }
  return found;
}

void Trainer::begin(std::optional<FoundCheckpoint> found, const std::filesystem::path& newest) {
  load(std::move(found));
  // Last, so that a session which cannot go on takes the folder from none that does.
  folder_.create();
  generation_ = RunGeneration::take(folder_);
  const bool newest_wanted =
      control_.resume == Resume::kAuto || control_.resume == Resume::kRequired;
  // An older session may have saved since we looked; from here on it cannot.
  if (newest_wanted && newest_checkpoint_name(folder_) != newest) load(find_checkpoint());
  folder_.remove_temporary_files();
  write_text_file(folder_.config(), to_text(configuration_), generation_->checker());
  store_ = std::make_unique<CheckpointStore>(folder_, *generation_, control_.keep_checkpoints);
  std::error_code ignored;
  clear_folder(control_.resume == Resume::kFile &&
               !std::filesystem::equivalent(control_.resume_file,
                                            folder_.checkpoint(state_.progress.step), ignored));
}

void Trainer::load(std::optional<FoundCheckpoint> found) {
  if (!found) return;
  Checkpoint& c = found->checkpoint;
  const std::string path = found->path.string();
  if (const std::string dataset = describe(dataset_.info()); c.dataset != dataset) {
    throw DataError(
        fmt::format("The checkpoint {} was trained on another data set ({}) than {} "
                    "({}).",
                    path, c.dataset, configuration_.data.string(), dataset));
  }
  if (c.state.data_digest.value_or(data_digest_) != data_digest_) {
    throw DataError(fmt::format(
        "The checkpoint {} was trained on other samples or labels, or in another order, "
        "than {} holds now.",
        path, configuration_.data.string()));
  }
  const Configuration recorded = recorded_configuration(c.config);
  check_resumable(recorded, configuration_, c.state.progress.stage);
  if (c.topology != layout_.topology() ||
      !std::ranges::equal(c.slots, averaging_->slots(), {}, &Checkpoint::Slot::name,
                          &OptimizerSlot::name)) {
    throw DataError(
        fmt::format("The checkpoint {} is of {} with {}, which does not match its "
                    "settings.",
                    path, to_string(c.topology), describe_slots(c)));
  }
  notes_ = std::move(found->passed_over);
  notes_.push_back(fmt::format("resumed from {}: stage {}, epoch {}, step {}", path, c.stage_name(),
                               c.state.progress.epoch, c.state.progress.step));
  copy_into(averaging_->parameters(), c.parameters);
  for (std::size_t i = 0; i < c.slots.size(); ++i) {
    copy_into(averaging_->slots()[i].values, c.slots[i].values);
  }
  c.state.divergences = std::max(state_.divergences, c.state.divergences);
  state_ = c.state;
  state_.progress.finished = false;
  state_.data_digest = data_digest_;
  if (const auto note = more_epochs(epochs_of(recorded, c.state.progress.stage)); !note.empty())
    notes_.push_back(note);
  history_ = std::move(c.history);
}

std::string Trainer::more_epochs(Index before) const {
  const Stage& stage = current_stage();
  const Progress& progress = state_.progress;
  if (before == 0 || before == stage.epochs || progress.epoch == 0) return {};
  const auto steps =
      static_cast<double>(steps_per_epoch(training_.set_size(), configuration_.batch_size));
  const double done =
      static_cast<double>(progress.epoch - 1) + static_cast<double>(progress.step_in_epoch) / steps;
  LearningRate rate = stage.learning_rate;
  rate.epochs = static_cast<double>(before);
  const double last = rate_factor() * rate.at(done - 1 / steps, 1 / steps);
  const double next = rate_factor() * stage.learning_rate.at(done, 1 / steps);
  const std::string name = stage.supervised
                               ? std::string("fine-tuning")
                               : fmt::format("pretraining of layer {}", stage.index + 1);
  return fmt::format("{} goes on for {} more epochs: the learning rate {} from {:.3g} to {:.3g}",
                     name, stage.epochs - before, next > last ? "rises" : "goes", last, next);
}

void Trainer::clear_folder(bool from_elsewhere) {
  const std::filesystem::path& file = control_.resume_file;
  const Index step = state_.progress.step;
  std::function<void()> write_first;
  if (from_elsewhere) {
    write_first = [this] {
      copy_run(store_->buffer());
      store_->save_now({.checkpoint = true});
      check_saved();
    };
  }
  auto places = set_aside(folder_, *generation_, step, write_first);
  if (!places.empty()) {
    std::vector<std::string> names;
    names.reserve(places.size());
    for (const auto& place : places) names.push_back(place.filename());
    notes_.push_back(fmt::format("set aside in {}: {}", places[0].parent_path().string(),
                                 fmt::join(names, ", ")));
  }
  store_->change_best(true);  // What was due before a divergence is not any more.
  if (!state_.best) return;
  places.push_back(folder_.checkpoint(state_.best->step));
  places.push_back(file.parent_path() / places.back().filename());
  places.push_back(file.parent_path().parent_path() / folder_.best().filename());
  recover_best(places);
}

void Trainer::recover_best(const std::vector<std::filesystem::path>& places) {
  auto found = best_in(folder_.best());
  const bool is_written = found.has_value();
  if (!found && state_.best->step == state_.progress.step) copy_model(found.emplace());
  for (auto place = places.begin(); !found && place != places.end(); ++place) {
    found = best_in(*place);
  }
  if (!found) {
    warnings_.push_back(fmt::format(
        "The best model, of step {}, is neither in {} nor in a checkpoint that is there: the best "
        "epoch is looked for anew.",
        state_.best->step, folder_.best().string()));
    state_.best.reset();
    return;
  }
  store_->change_best(is_written) = std::move(*found);
  if (is_written) return;
  notes_.push_back(fmt::format("{}, which is not there or not of the best epoch, is written anew",
                               folder_.best().string()));
  store_->save({});
}

std::optional<Checkpoint> Trainer::best_in(const std::filesystem::path& path) const {
  try {
    Checkpoint c = load_checkpoint(path);
    check_resumable(recorded_configuration(c.config), configuration_, c.state.progress.stage);
    if (c.state.progress.step != state_.best->step || c.state.best != state_.best ||
        c.state.data_digest.value_or(data_digest_) != data_digest_ ||
        c.topology != layout_.topology() || c.dataset != describe(dataset_.info())) {
      return std::nullopt;
    }
    c.slots.clear();
    c.history.clear();
    c.state.progress.finished = false;
    return c;
  } catch (const Error&) {  // It is not there, or of no use.
    return std::nullopt;
  }
}

void Trainer::share_state() {
  averaging_->share_from_root();
  comm_.broadcast(std::as_writable_bytes(std::span(&state_, 1)), 0);
}

void Trainer::roll_back() {
  const std::string where = fmt::format(
      "Training diverged in stage {}, epoch {}, step {}: the loss or the gradient is "
      "not finite",
      current_stage().name, state_.progress.epoch, state_.progress.step + 1);
  if (comm_.is_root()) store_->wait_until_idle();
  if (control_.on_divergence == OnDivergence::kStop || state_.divergences >= kMostDivergences) {
    throw DivergedError(fmt::format(
        "{}. The last good checkpoint is kept; try a lower learning rate, more warm-up, or "
        "--on-divergence reduce.",
        where));
  }
  ++state_.divergences;
  if (comm_.is_root()) {
    auto found = find_newest_checkpoint(folder_);
    if (!found) restart();
    const bool damaged = found && !found->passed_over.empty();
    load(std::move(found));
    clear_folder(false);
    if (damaged) warnings_.insert(warnings_.end(), notes_.begin(), notes_.end());
    observer_.warning(fmt::format("{}; going back to step {} with the learning rate times {}.",
                                  where, state_.progress.step, rate_factor()));
    observer_.rewound(state_.progress.step, history_);
    tell_warnings();
  }
  share_state();
}

void Trainer::copy_model(Checkpoint& copy) const {
  copy.topology = layout_.topology();
  copy_into(copy.parameters, averaging_->parameters());
  copy.state = state_;
  copy.seed = configuration_.seed;
  copy.dataset = describe(dataset_.info());
  copy.config = to_text(configuration_);
}

void Trainer::copy_run(Checkpoint& copy) const {
  copy_model(copy);
  const auto& slots = averaging_->slots();
  copy.slots.resize(slots.size());
  for (std::size_t i = 0; i < slots.size(); ++i) {
    copy.slots[i].name = slots[i].name;
    copy_into(copy.slots[i].values, slots[i].values);
  }
  copy.history = history_;
}

}  // namespace sae
