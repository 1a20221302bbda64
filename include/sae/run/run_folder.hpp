#pragma once

#include <filesystem>
#include <string>

#include "sae/core/types.hpp"

namespace sae {

/// The paths of a run's files, all in one folder.
class RunFolder {
 public:
  explicit RunFolder(std::filesystem::path path) : path_(std::move(path)) {}

  const std::filesystem::path& path() const { return path_; }
  std::filesystem::path config() const { return path_ / "config.cfg"; }
  std::filesystem::path metrics() const { return path_ / "metrics.jsonl"; }
  std::filesystem::path journal() const { return path_ / "journal.jsonl"; }
  std::filesystem::path report() const { return path_ / "report.html"; }
  std::filesystem::path log() const { return path_ / "log.txt"; }
  std::filesystem::path best() const { return path_ / "best.h5"; }
  std::filesystem::path pretrained() const { return path_ / "pretrained.h5"; }
  std::filesystem::path model() const { return path_ / "model.h5"; }
  /// Names the owner of the folder; see RunGeneration.
  std::filesystem::path generation() const { return path_ / "generation"; }

  /// Folder of a stage's TensorBoard files.
  std::filesystem::path events(const std::string& stage) const { return path_ / "events" / stage; }
  /// Picture of the filters of a hidden layer, counted from 0.
  std::filesystem::path filters(Index layer) const {
    return path_ / ("filters-hidden" + std::to_string(layer + 1) + ".png");
  }
  std::filesystem::path reconstructions() const { return path_ / "reconstructions.png"; }

  std::filesystem::path checkpoints() const { return path_ / "checkpoints"; }
  /// The checkpoint after so many updates.
  std::filesystem::path checkpoint(Index step) const;

  /// Whether the folder holds a run, finished or not.
  bool holds_run() const;

  /// Creates the folder and its parents. Throws: OutputError.
  void create() const;
  /// Removes unfinished files of all other processes, running or not.
  void remove_temporary_files() const;

 private:
  std::filesystem::path path_;
};

}  // namespace sae
