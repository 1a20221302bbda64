#pragma once

#include <functional>
#include <string>

#include "sae/core/error.hpp"
#include "sae/core/types.hpp"
#include "sae/run/run_folder.hpp"

namespace sae {

/// A newer session has taken over the run's folder.
class SupersededError : public OutputError {
 public:
  using OutputError::OutputError;
};

/// Fencing token of a run's folder: only the newest session may write to it.
/// Ranks of a node that was cut off may outlive a restart of the job elsewhere; without the token
/// they would overwrite its files. The file `generation` names the owner; no file locks are needed.
///
/// No write of an older session gets through, however late, if both sides keep this order:
/// - The new owner writes its name to `generation`, then removes all temporary files, then replaces
///   each file that is appended to by a new one.
/// - A writer creates its temporary file, or opens the file to append to; then calls check(); then
///   renames or writes. If the owner has changed in between, the rename fails because the temporary
///   file is gone, and appended lines go to an unlinked file.
/// One gap remains: a network file system may show changes of another client late. By default it
/// shows them whenever a file is opened; relaxed settings can delay them by seconds.
class RunGeneration {
 public:
  /// Makes this session the owner of the folder, which must exist.
  /// Local: called by rank 0 only. Throws: OutputError if `generation` cannot be written.
  static RunGeneration take(const RunFolder& folder);

  /// Throws: SupersededError if a newer session has taken the folder; OutputError if `generation`
  /// cannot be read.
  void check() const;
  /// check() as a function object, to call right before publishing a file.
  std::function<void()> checker() const {
    return [generation = *this] { generation.check(); };
  }

  Index number() const { return number_; }

 private:
  RunGeneration(RunFolder folder, Index number, std::string text)
      : folder_(std::move(folder)), number_(number), text_(std::move(text)) {}

  RunFolder folder_;
  Index number_;
  std::string text_;  ///< Contents of `generation` while this session owns the folder.
};

}  // namespace sae
