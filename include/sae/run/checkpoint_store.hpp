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

/// A checkpoint that can be resumed from, and what was passed over to find it.
struct FoundCheckpoint {
  std::filesystem::path path;
  Checkpoint checkpoint;
  std::vector<std::string> passed_over;  ///< One sentence for each newer one, with the reason.
};

/// The newest checkpoint of a run's folder that verifies; none if there are no checkpoints.
/// Local. Throws: DataError naming all if there are some and none verifies; OutputError if their
/// folder is there and cannot be looked into.
std::optional<FoundCheckpoint> find_newest_checkpoint(const RunFolder& folder);

/// Renames into the folder checkpoints/set-aside-<number of the generation> what is not of the run
/// that goes on from `step`: newer checkpoints, and best.h5 and model.h5 of later updates. If
/// `write_first` is given, which writes the checkpoint of `step`, all others are of another run.
/// Returns the new names. Local. Throws: OutputError, SupersededError.
std::vector<std::filesystem::path> set_aside(const RunFolder& folder,
                                             const RunGeneration& generation, Index step,
                                             const std::function<void()>& write_first = {});

/// The name of the newest checkpoint, whether it verifies or not; empty if there is none.
/// Local. Throws: OutputError, likewise.
std::filesystem::path newest_checkpoint_name(const RunFolder& folder);

/// Writes the files of a run while training goes on: one at a time, in a thread of its own, from a
/// copy. A write that fails is told and harms nothing: the older files stay; best.h5 is tried again
/// with the next. Used by rank 0 alone.
class CheckpointStore {
 public:
  /// The newest `keep` checkpoints are kept, and never fewer than one. Writes and removes nothing
  /// when the folder is no longer of this generation.
  CheckpointStore(RunFolder folder, RunGeneration generation, Index keep);
  /// Waits for what is under way.
  ~CheckpointStore();
  CheckpointStore(const CheckpointStore&) = delete;
  CheckpointStore& operator=(const CheckpointStore&) = delete;

  /// Whether nothing is being written. HDF5 may be used elsewhere only then.
  bool idle() const;
  /// What is under way gets the priority of the caller, if the system allows that.
  void wait_until_idle();
  /// Waits so long at most. Whether nothing is being written.
  bool wait_for_idle(double seconds);

  /// The longest that a save has taken until all its files were read back; none before the first.
  std::optional<double> longest_save() const;

  /// The buffer to copy the state into, for the next save. Waits until it is free.
  Checkpoint& buffer();

  /// The model of the best epoch, to be changed; is written with the next save unless `is_written`.
  /// Waits until it is free.
  Checkpoint& change_best(bool is_written = false);
  /// Requires: idle().
  const Checkpoint& best() const { return best_; }

  /// What to make of the buffer. best.h5 is written with any of it, or alone, if that is due.
  struct Files {
    bool checkpoint = false;  ///< Named after its step.
    bool model = false;
  };
  void save(Files files);
  /// Does the same in this thread, at its priority.
  void save_now(Files files);

  /// The steps of the checkpoints that were published since the last call.
  std::vector<Index> take_saved();

  /// The failures since the last call, one sentence each.
  std::vector<std::string> take_failures();

 private:
  void work();
  void write();
  void write_files();
  /// Whether it was written.
  bool write_one(const std::filesystem::path& path, const Checkpoint& checkpoint);
  /// Keeps the newest that are not newer than `step`.
  void remove_old(Index step);

  RunFolder folder_;
  RunGeneration generation_;
  Index keep_;
  Checkpoint buffer_;
  FileImage image_;  // Of the file that is being written.
  Checkpoint best_;
  bool best_is_due_ = false;
  Files files_;
  std::vector<Index> saved_;
  std::vector<std::string> failures_;
  std::optional<double> longest_save_;
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  bool busy_ = false;
  bool end_ = false;
  int priority_;      ///< Of who saves.
  pid_t writer_ = 0;  ///< The thread, as the system numbers it.
  std::thread thread_;
};

}  // namespace sae
