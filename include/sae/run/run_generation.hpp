#pragma once

#include <functional>
#include <string>

#include "sae/core/types.hpp"
#include "sae/run/run_folder.hpp"

namespace sae {

/// Which session a run's folder belongs to: the one that took it last. Ranks of a node that was
/// cut off can live on after the job was started again elsewhere, and would write over what it
/// writes. The file `generation` names the owner; it needs no locks of the file system.
///
/// Nothing of an older session gets through, wherever it was held up, if each side keeps its order:
/// - The new owner first puts its name into `generation`, then removes all temporary files, then
///   replaces by a new file each that lines are appended to.
/// - Whoever publishes makes its temporary file, or opens the file to append to, first; then asks
///   check(); then renames or writes. What was there before the owner changed is gone by then: the
///   rename fails, and the lines go to a file that has no name any more.
/// What is left is the delay with which a network file system shows one client the files of
/// another: by default none when a file is opened, some seconds where a site has relaxed that.
class RunGeneration {
 public:
  /// Makes the folder, which exists, this session's. Local: rank 0 alone calls it.
  /// Throws: OutputError if `generation` cannot be written.
  static RunGeneration take(const RunFolder& folder);

  /// Throws: SupersededError if another session has taken the folder since; OutputError if that
  /// cannot be told.
  void check() const;
  /// The same as a function, to be called right before something is published.
  std::function<void()> checker() const {
    return [generation = *this] { generation.check(); };
  }

  Index number() const { return number_; }

 private:
  RunGeneration(RunFolder folder, Index number, std::string text)
      : folder_(std::move(folder)), number_(number), text_(std::move(text)) {}

  RunFolder folder_;
  Index number_;
  std::string text_;  ///< What `generation` holds as long as the folder is this session's.
};

}  // namespace sae
