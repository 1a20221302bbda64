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
  kAuto,      ///< Goes on where there is a checkpoint, starts where there is none.
  kRequired,  ///< There must be a checkpoint.
  kFile       ///< From the named checkpoint.
};

/// How often a checkpoint is due; the first that is set counts.
struct CheckpointInterval {
  Index steps = 0;
  Index epochs = 0;
  double seconds = 0;
};

/// How a session begins and what it saves.
struct SessionSettings {
  std::filesystem::path folder;
  Resume resume = Resume::kNever;
  std::filesystem::path resume_file;  ///< For Resume::kFile.
  CheckpointInterval checkpoint_every;
  double checkpoint_patience = 0;  ///< Seconds for which one that is due waits for the last.
  Index keep_checkpoints = 3;
};

/// What must be the same to go on with a run, and stands in each of its checkpoints.
struct RunIdentity {
  Configuration configuration;  ///< With what was decided.
  Topology topology;
  std::string dataset;  ///< On one line.
  std::uint64_t data_digest = 0;
};

/// What a checkpoint holds besides, as it is while the run is trained.
struct LiveRun {
  std::span<float> parameters;
  const std::vector<OptimizerSlot>& slots;
  RunState& state;
};

/// What rank 0 keeps of a run: its folder, of which it is the owner from begin() on, the checkpoint
/// it went on from, what is written while training goes on, and the best model. All is local.
class RunSession {
 public:
  explicit RunSession(SessionSettings settings);

  /// Looks for the checkpoint to go on from; returns its configuration, or none if the run starts.
  /// Throws: OutputError if the folder holds a run and none is to be resumed, MissingInputError if
  /// there is no checkpoint that was asked for, DataError if none can be used.
  std::optional<Configuration> look();

  /// Loads what was found into the live run, which must outlive the session, and takes the folder.
  /// `on_save` is called before each checkpoint is written.
  /// Throws: DataError or UsageError if the checkpoint is not of this run, OutputError.
  void begin(RunIdentity identity, LiveRun live, std::function<void()> on_save);

  const RunFolder& folder() const { return folder_; }
  const RunGeneration& generation() const { return *generation_; }
  /// The configuration that the run had before this session; none if it starts.
  const std::optional<Configuration>& recorded() const { return recorded_; }

  /// Goes back to the newest checkpoint that verifies, after a divergence; where there is none,
  /// calls restart().
  void go_back(const std::function<void()>& restart);

  /// Saves if it is time to.
  void save_if_due(bool epoch_ended, bool stage_ended);
  /// Saves the run, with its parameters as the best model.
  void save_best();
  /// Saves and waits until that is done. Throws: OutputError.
  void save_now(CheckpointStore::Files files);
  /// Waits for what is under way.
  void wait() { store_->wait_until_idle(); }
  /// About how long it takes to end what is under way and to save once more, in seconds.
  double seconds_to_save() const;

  /// The steps of the checkpoints that were published since the last call, and the failures, one
  /// sentence each.
  std::vector<Index> take_saved() { return store_->take_saved(); }
  std::vector<std::string> take_failures();

  /// Requires: nothing is being written.
  const Checkpoint& best() const { return store_->best(); }

  std::string history;                 ///< The lines of metrics.jsonl so far.
  std::vector<std::string> notes;      ///< How the run was resumed, for the user.
  std::vector<std::string> decisions;  ///< What was kept as the run began, likewise.
  std::vector<std::string> warnings;   ///< To be given once the run has begun.

 private:
  std::optional<FoundCheckpoint> find() const;
  void load(std::optional<FoundCheckpoint> found);
  void clear_folder(bool from_elsewhere);
  void recover_best(const std::vector<std::filesystem::path>& places);
  std::optional<Checkpoint> best_in(const std::filesystem::path& path) const;
  void copy_model(Checkpoint& copy) const;
  void copy_run();
  void copy_for_save();
  void throw_failures();

  SessionSettings settings_;
  RunFolder folder_;
  RunIdentity identity_;
  std::optional<LiveRun> live_;
  std::function<void()> on_save_;
  std::optional<FoundCheckpoint> found_;  ///< By look().
  std::filesystem::path newest_;          ///< The newest checkpoint by then.
  std::optional<Configuration> recorded_;
  std::optional<RunGeneration> generation_;  ///< Since the folder is ours.
  std::unique_ptr<CheckpointStore> store_;
  std::chrono::steady_clock::time_point last_save_ = std::chrono::steady_clock::now();
  bool overdue_ = false;  ///< A checkpoint is due, and the last one still being written.
};

}  // namespace sae
