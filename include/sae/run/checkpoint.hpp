#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <type_traits>
#include <vector>

#include "sae/model/objective.hpp"
#include "sae/model/parameter_layout.hpp"
#include "sae/storage/file_image.hpp"

namespace sae {

/// How far a run has come.
struct Progress {
  Index stage = 0;          ///< A hidden layer's pretraining, from 0 on; then the fine-tuning.
  Index epoch = 0;          ///< Of the stage, counted from 1; the one under way or just done.
  Index step_in_epoch = 0;  ///< Updates of this epoch that are done.
  Index step = 0;           ///< Updates of the whole run.
  bool finished = false;    ///< The run has reached its end.
};

/// The name of a stage of so many hidden layers: "pretrain1", ..., "finetune".
std::string stage_name(Index stage, Index hidden_layers);

/// The epoch of fine-tuning with the lowest validation error so far.
struct BestEpoch {
  Index errors = 0;
  Index epoch = 0;
  Index step = 0;  ///< Updates of the whole run after it.
  bool operator==(const BestEpoch&) const = default;
};

/// The state of a run besides vectors and text; plain bytes, the same on all ranks.
struct RunState {
  Progress progress = {};
  ObjectiveSums epoch_sums = {};  ///< Of the epoch under way, up to step_in_epoch.
  std::optional<BestEpoch> best = {};
  Index divergences = 0;  ///< How often the learning rate was halved.
  double start_loss = 0;  ///< Of the first minibatch of the stage, per sample; 0 if not known.
  /// Of all samples and labels; not known of a run that an older program began.
  std::optional<std::uint64_t> data_digest = {};
};
static_assert(std::is_trivially_copyable_v<RunState>);

/// All that what follows in a run depends on, and a model for everybody else.
struct Checkpoint {
  /// What an optimizer keeps, such as "velocity".
  struct Slot {
    std::string name;
    Vector<float> values;  ///< In the layout of the topology.
  };

  Topology topology;
  Vector<float> parameters;  ///< In the layout of the topology.
  std::vector<Slot> slots;   ///< None in model files.
  RunState state;
  std::string history;  ///< The lines of metrics.jsonl so far.
  std::uint64_t seed = 0;
  std::string dataset;  ///< What it is trained on, on one line.
  std::string config;   ///< As to_text(Configuration) gives it.

  /// Of the stage under way.
  std::string stage_name() const {
    return sae::stage_name(state.progress.stage, topology.hidden_layers());
  }
};

/// Such as "velocity", or "no optimizer state".
std::string describe_slots(const Checkpoint& checkpoint);

/// Composes the sealed file in `image`; `path` is for messages.
/// Local. Throws: OutputError.
void compose_checkpoint(const std::filesystem::path& path, const Checkpoint& checkpoint,
                        FileImage& image);

/// Composes the checkpoint file in `image`, writes it, reads it back from the disk, and publishes
/// it complete or not at all; `before_rename`, if given, may refuse by throwing.
/// Local. Throws: OutputError, also for weights that are not finite.
void save_checkpoint(const std::filesystem::path& path, const Checkpoint& checkpoint,
                     FileImage& image, const std::function<void()>& before_rename = {});

/// Reads what save_checkpoint wrote; the topology follows from the sizes of the arrays. The
/// seal of the file tells any damage first.
/// Local. Throws: MissingInputError; DataError naming what is missing, damaged, not
/// finite or of another size.
Checkpoint load_checkpoint(const std::filesystem::path& path);

}  // namespace sae
