#pragma once

#include <sys/types.h>

#include <condition_variable>
#include <filesystem>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "sae/run/checkpoint.hpp"
#include "sae/run/run_folder.hpp"
#include "sae/run/run_generation.hpp"

namespace sae {

/// A checkpoint to resume, and the newer ones that failed to verify.
struct FoundCheckpoint {
  std::filesystem::path path;
  Checkpoint checkpoint;
  std::vector<std::string> skipped;  ///< A sentence with the reason for each newer one.
};

/// The newest checkpoint of a run's folder that verifies; none if there are no checkpoints.
/// Local. Throws: DataError naming all of them if none verifies; OutputError if their folder exists
/// but cannot be listed.
std::optional<FoundCheckpoint> find_newest_checkpoint(const RunFolder& folder);

/// Moves files that do not belong to a run resumed at `step` into the folder
/// checkpoints/set-aside-<number of the generation>: newer checkpoints, and pretrained.h5, best.h5
/// and model.h5 of later updates. If `write_first` is given, it writes the checkpoint of `step`,
/// and all other checkpoints belong to another run. Returns the new paths. Local. Throws:
/// OutputError, SupersededError.
std::vector<std::filesystem::path> set_aside(const RunFolder& folder,
                                             const RunGeneration& generation, Index step,
                                             const std::function<void()>& write_first = {});

/// The path of the newest checkpoint, verified or not; empty if there is none.
/// Local. Throws: OutputError if the folder exists but cannot be listed.
std::filesystem::path newest_checkpoint_name(const RunFolder& folder);

/// Writes the files of a run during training: one at a time, in a background thread, from a copy. A
/// failed write is reported and leaves older files as they are; pretrained.h5 and best.h5 are
/// retried with the next save. Used by rank 0 only.
class CheckpointStore {
 public:
  /// Keeps the newest `keep` checkpoints, at least one. Writes and removes nothing once a newer
  /// generation has taken the folder.
  CheckpointStore(RunFolder folder, RunGeneration generation, Index keep);
  /// Waits for the write in progress.
  ~CheckpointStore();
  CheckpointStore(const CheckpointStore&) = delete;
  CheckpointStore& operator=(const CheckpointStore&) = delete;

  /// Whether no write is in progress. Other threads may use HDF5 only then.
  bool idle() const;
  /// Waits; raises the writer to the caller's priority if the system allows it.
  void wait_until_idle();
  /// Waits at most so long; returns idle().
  bool wait_for_idle(double seconds);

  /// The longest duration of a save, verification included, in seconds; none before the first.
  std::optional<double> longest_save() const;

  /// The buffer of the next save, for the caller to fill. Waits until idle.
  Checkpoint& buffer();

  /// The model at the end of pretraining, for the caller to fill. The next save writes it. Waits
  /// until idle.
  Checkpoint& change_pretrained();

  /// The model at the end of the run, for the caller to fill before the save of Files::model. Waits
  /// until idle.
  Checkpoint& change_model();

  /// The model of the best epoch, for the caller to replace. The next save writes it unless
  /// `is_written`. Waits until idle.
  Checkpoint& change_best(bool is_written = false);
  /// Requires: idle().
  const Checkpoint& best() const { return best_; }

  /// Which files to write, a checkpoint from the buffer. A save also writes best.h5 if that is due.
  struct Files {
    bool checkpoint = false;  ///< Named after its step.
    bool model = false;
  };
  void save(Files files);
  /// As save, in the calling thread.
  void save_now(Files files);

  /// The steps of checkpoints published since the last call.
  std::vector<Index> take_saved();

  /// The failures since the last call, one sentence each.
  std::vector<std::string> take_failures();

 private:
  void work();
  void write();
  void write_files();
  /// Returns whether the file was written.
  bool write_one(const std::filesystem::path& path, const Checkpoint& checkpoint);
  /// Removes all but the newest checkpoints; ignores those newer than `step`.
  void remove_old(Index step);

  RunFolder folder_;
  RunGeneration generation_;
  Index keep_;
  Checkpoint buffer_;
  FileImage image_;                       // Of the file being written.
  std::optional<Checkpoint> pretrained_;  ///< Until it is written.
  Checkpoint best_;
  Checkpoint model_;
  bool best_is_due_ = false;
  Files files_;
  std::vector<Index> saved_;
  std::vector<std::string> failures_;
  std::optional<double> longest_save_;
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  bool busy_ = false;
  bool end_ = false;
  int priority_;      ///< Of the constructing thread.
  pid_t writer_ = 0;  ///< System id of thread_.
  std::thread thread_;
};

}  // namespace sae
