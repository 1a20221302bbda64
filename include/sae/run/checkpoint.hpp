#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <type_traits>
#include <vector>

#include "sae/data/data_spec.hpp"
#include "sae/model/objective.hpp"
#include "sae/model/parameter_layout.hpp"
#include "sae/storage/file_image.hpp"

namespace sae {

/// Position of a run in its stages.
struct Progress {
  Index stage = 0;          ///< Index of the hidden layer in pretraining; then the fine-tuning.
  Index epoch = 0;          ///< Of the stage, counted from 1; the current or just completed one.
  Index step_in_epoch = 0;  ///< Completed updates of this epoch.
  Index step = 0;           ///< Updates of the whole run.
  bool finished = false;    ///< The run has reached its end.
};

/// "pretrain1", ..., "finetune".
std::string stage_name(Index stage, Index hidden_layers);

/// The epoch of fine-tuning with the lowest validation figure so far.
struct BestEpoch {
  double figure = 0;  ///< Misclassified samples; the mean loss of a reconstruction.
  Index epoch = 0;    ///< On a tie the latest.
  Index reached = 0;  ///< The first epoch with this figure.
  Index step = 0;     ///< Updates of the whole run after `epoch`.
  bool operator==(const BestEpoch&) const = default;
};

/// The state of a run besides vectors and text. Trivially copyable, for broadcasts.
struct RunState {
  Progress progress = {};
  ObjectiveSums epoch_sums = {};  ///< Of the current epoch, up to step_in_epoch.
  std::optional<BestEpoch> best = {};
  Index divergences = 0;  ///< How often the learning rate was halved.
  double start_loss = 0;  ///< Of the first minibatch of the stage, per sample; 0 if unknown.
  /// Of all samples and labels; none in checkpoints of older programs.
  std::optional<std::uint64_t> data_digest = {};
};
static_assert(std::is_trivially_copyable_v<RunState>);

/// Everything that the rest of a run depends on. Without optimizer slots, a model file.
struct Checkpoint {
  /// State vector of an optimizer, such as "velocity".
  struct Slot {
    std::string name;
    Vector<float> values;  ///< In the layout of the topology.
  };

  Topology topology;
  DataSpec data;
  Vector<float> parameters;  ///< In the layout of the topology.
  std::vector<Slot> slots;   ///< Empty in model files.
  RunState state;
  std::string history;  ///< The lines of metrics.jsonl so far.
  std::uint64_t seed = 0;
  std::string dataset;  ///< Description of the data set, on one line.
  std::string config;   ///< As to_text(Configuration).

  /// Of the current stage.
  std::string stage_name() const {
    return sae::stage_name(state.progress.stage, topology.hidden_layers());
  }
};

/// Names such as "velocity", or "no optimizer state".
std::string describe_slots(const Checkpoint& checkpoint);

/// Composes the sealed file in memory; `path` is for messages.
/// Local. Throws: OutputError.
void compose_checkpoint(const std::filesystem::path& path, const Checkpoint& checkpoint,
                        FileImage& image);

/// Composes the file in `image`, writes it, reads it back from disk, and publishes it complete or
/// not at all. `before_rename`, unless empty, may throw to prevent that.
/// Local. Throws: OutputError, also for weights that are not finite.
void save_checkpoint(const std::filesystem::path& path, const Checkpoint& checkpoint,
                     FileImage& image, const std::function<void()>& before_rename = {});

/// Reads a checkpoint or model; first checks its seal, which reveals any damage. The sizes of the
/// topology follow from the shapes of the arrays.
/// Local. Throws: MissingInputError; DataError naming what is missing, damaged, not
/// finite or of another size.
Checkpoint load_checkpoint(const std::filesystem::path& path);

/// Makes it the model that is applied: of the average of parameters, if there is one, and without
/// what finished_model.hpp names. Local.
void finish(Checkpoint& checkpoint);

}  // namespace sae
