#pragma once

#include <chrono>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "sae/averaging/gradient_averaging.hpp"
#include "sae/config/configuration.hpp"
#include "sae/run/checkpoint_store.hpp"
#include "sae/run/run_folder.hpp"
#include "sae/run/run_generation.hpp"

namespace sae {

enum class Resume {
  kNever,     ///< The folder must not hold a run.
  kAuto,      ///< Resume the newest checkpoint; start a new run if there is none.
  kRequired,  ///< Resume the newest checkpoint; fail if there is none.
  kFile       ///< Resume the named checkpoint.
};

/// How often a checkpoint is due. The first field that is not 0 applies.
struct CheckpointInterval {
  Index steps = 0;
  Index epochs = 0;
  double seconds = 0;
};

/// How a session starts and how it saves.
struct SessionSettings {
  std::filesystem::path folder;
  Resume resume = Resume::kNever;
  std::filesystem::path resume_file;  ///< For Resume::kFile.
  CheckpointInterval checkpoint_every;
  double checkpoint_patience = 0;  ///< Seconds that a due checkpoint waits for the previous one.
  Index keep_checkpoints = 3;
  std::filesystem::path initial_model;  ///< For a new run; empty: none.
};

/// What a resume requires to be unchanged; stored in each checkpoint.
struct RunIdentity {
  Configuration configuration;  ///< With `auto` resolved.
  Topology topology;
  DataSpec data;
  std::string dataset;  ///< On one line.
  std::uint64_t data_digest = 0;
};

/// The live counterpart of what else a checkpoint holds.
struct LiveRun {
  std::span<float> parameters;
  const std::vector<OptimizerSlot>& slots;
  RunState& state;
};

/// Rank 0's persistent side of a run: finds and loads the checkpoint to resume, takes the folder in
/// start(), and saves checkpoints and the best model. Local: every member.
class RunSession {
 public:
  explicit RunSession(SessionSettings settings);

  /// Finds the checkpoint to resume; returns its configuration, or none for a new run, of which it
  /// loads the initial model.
  /// Throws: OutputError if the folder holds a run and Resume::kNever applies, MissingInputError if
  /// the requested checkpoint does not exist, DataError if no checkpoint can be used.
  std::optional<Configuration> find_checkpoint();
  /// The model that a new run starts from; none without one, or once a checkpoint is found.
  const std::optional<Checkpoint>& initial_model() const { return initial_; }
  /// The scaling of that model or of the checkpoint that was found. Requires: before start().
  Scaling found_scaling() const;

  /// Loads the found checkpoint into the live run, which must outlive the session, and takes the
  /// folder. `on_save` is called before each checkpoint is written.
  /// Throws: DataError or UsageError if the checkpoint does not match the identity, OutputError.
  void start(RunIdentity identity, LiveRun live, std::function<void()> on_save);

  const RunFolder& folder() const { return folder_; }
  const RunGeneration& generation() const { return *generation_; }
  /// The configuration of the resumed checkpoint; none for a new run.
  const std::optional<Configuration>& recorded() const { return recorded_; }

  /// Rolls back to the newest checkpoint that verifies, after a divergence; calls restart() if
  /// there is none.
  void roll_back(const std::function<void()>& restart);

  /// Saves in the background if a checkpoint is due.
  void save_if_due(bool epoch_ended, bool stage_ended);
  /// Saves a checkpoint, and its parameters as the best model, in the background.
  void save_best();
  /// Saves the parameters as pretrained.h5, in the background.
  void save_pretrained();
  /// Saves in the calling thread. Throws: OutputError.
  void save_now(CheckpointStore::Files files);
  /// Waits for the write in progress.
  void wait() { store_->wait_until_idle(); }
  /// Estimated seconds to finish the write in progress and to save once more.
  double seconds_to_save() const;

  /// The steps of checkpoints published, and the failures (one sentence each), since the last call.
  std::vector<Index> take_saved() { return store_->take_saved(); }
  std::vector<std::string> take_failures();

  /// Requires: nothing is being written.
  const Checkpoint& best() const { return store_->best(); }

  std::string history;             ///< The lines of metrics.jsonl so far.
  std::vector<std::string> notes;  ///< For the user: how the run was resumed.
  std::vector<std::string>
      decisions;  ///< For the user: `auto` settings kept from the first session.
  std::vector<std::string> warnings;  ///< To report once the run has begun.

 private:
  std::optional<FoundCheckpoint> find() const;
  void load(std::optional<FoundCheckpoint> found);
  void clear_folder(bool from_elsewhere);
  void recover_best(const std::vector<std::filesystem::path>& candidates);
  std::optional<Checkpoint> best_in(const std::filesystem::path& path) const;
  void copy_model(Checkpoint& copy) const;
  /// As the model that is applied.
  void copy_finished(Checkpoint& copy) const;
  void copy_run();
  void copy_for_save();
  void throw_failures();

  SessionSettings settings_;
  RunFolder folder_;
  RunIdentity identity_;
  std::optional<LiveRun> live_;
  std::function<void()> on_save_;
  std::optional<FoundCheckpoint> found_;  ///< By find_checkpoint().
  std::optional<Checkpoint> initial_;
  std::filesystem::path newest_;  ///< The newest checkpoint at that time.
  std::optional<Configuration> recorded_;
  std::optional<RunGeneration> generation_;  ///< Set once this session owns the folder.
  std::unique_ptr<CheckpointStore> store_;
  std::chrono::steady_clock::time_point last_save_ = std::chrono::steady_clock::now();
  bool overdue_ = false;  ///< A checkpoint is due, but the previous one is still being written.
};

}  // namespace sae
