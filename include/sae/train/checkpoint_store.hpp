#pragma once

#include <condition_variable>
#include <filesystem>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "sae/train/checkpoint.hpp"
#include "sae/train/run_folder.hpp"
#include "sae/train/run_generation.hpp"

namespace sae {

/// A checkpoint that can be resumed from, and what was passed over to find it.
struct FoundCheckpoint {
  std::filesystem::path path;
  Checkpoint checkpoint;
  std::vector<std::string> passed_over;  ///< One sentence for each newer one, with the reason.
};

/// The newest checkpoint of a run's folder that verifies; none if there are no checkpoints.
/// Local. Throws: DataError naming all if there are some and none verifies.
std::optional<FoundCheckpoint> find_newest_checkpoint(const RunFolder& folder);

/// The name of the newest checkpoint, whether it verifies or not; empty if there is none.
std::filesystem::path newest_checkpoint_name(const RunFolder& folder);

/// Writes the files of a run while training goes on: one at a time, in a thread of its own, from a
/// copy. A write that fails is told and harms nothing: the older files stay. Used by rank 0 alone.
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
  void wait_until_idle();

  /// The buffer to copy the state into, for the next save. Waits until it is free.
  Checkpoint& buffer();

  /// Writes the buffer: as a checkpoint named after its step, and under `also` if given, there
  /// without what only a resume needs.
  void save(bool as_checkpoint, std::optional<std::filesystem::path> also);

  /// The steps of the checkpoints that were published since the last call.
  std::vector<Index> take_saved();

  /// The failures since the last call, one sentence each.
  std::vector<std::string> take_failures();

 private:
  void work();
  void write();
  /// Whether it was written.
  bool write_one(const std::filesystem::path& path, const Checkpoint& checkpoint);
  void remove_old();

  RunFolder folder_;
  RunGeneration generation_;
  Index keep_;
  Checkpoint buffer_;
  FileImage image_;  // Of the file that is being written.
  bool as_checkpoint_ = false;
  std::optional<std::filesystem::path> also_;
  std::vector<Index> saved_;
  std::vector<std::string> failures_;
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  bool busy_ = false;
  bool end_ = false;
  std::thread thread_;
};

}  // namespace sae
