#pragma once

#include <filesystem>
#include <string>

#include "sae/core/types.hpp"

namespace sae {

/// The names of what a run leaves behind, in one folder.
class RunFolder {
 public:
  explicit RunFolder(std::filesystem::path path) : path_(std::move(path)) {}

  const std::filesystem::path& path() const { return path_; }
  std::filesystem::path config() const { return path_ / "config.cfg"; }
  std::filesystem::path metrics() const { return path_ / "metrics.jsonl"; }
  std::filesystem::path log() const { return path_ / "log.txt"; }
  std::filesystem::path best() const { return path_ / "best.h5"; }
  std::filesystem::path model() const { return path_ / "model.h5"; }

  std::filesystem::path checkpoints() const { return path_ / "checkpoints"; }
  /// The checkpoint after so many updates.
  std::filesystem::path checkpoint(Index step) const;

  /// Whether the folder holds a run, finished or not.
  bool holds_run() const;

  /// Makes the folder, removes what killed processes left half written, and writes the
  /// configuration into it. Local: rank 0 alone calls it.
  /// Throws: OutputError if it cannot be made or written.
  void create(const std::string& config_text) const;

 private:
  void remove_temporary_files() const;

  std::filesystem::path path_;
};

}  // namespace sae
