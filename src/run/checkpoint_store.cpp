#include "sae/run/checkpoint_store.hpp"

#include <fmt/format.h>
#include <sched.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstring>
#include <system_error>
#include <utility>

#include "sae/core/error.hpp"

namespace sae {
namespace {

namespace fs = std::filesystem;

constexpr int kLower = 10;  // Nice value of the writer above that of the ranks.

/// Best effort: not all users may raise a priority.
void set_priority(pid_t thread, int nice) {
  static_cast<void>(::setpriority(PRIO_PROCESS, static_cast<id_t>(thread), nice));
}

/// Lets this thread run on any core of the job. On its rank's core it would delay the rank, and so
/// all others. Best effort.
void use_any_core() {
  cpu_set_t all;
  std::memset(&all, 0xff, sizeof all);  // The system removes cores that the job may not use.
  static_cast<void>(::sched_setaffinity(0, sizeof all, &all));
}

/// The checkpoint files of a run, newest first; none if their folder does not exist.
/// Throws: OutputError if the folder cannot be listed.
std::vector<fs::path> checkpoint_files(const RunFolder& folder) {
  std::vector<fs::path> files;
  std::error_code error;
  if (fs::symlink_status(folder.checkpoints(), error).type() == fs::file_type::not_found) return {};
  fs::directory_iterator entry(folder.checkpoints(), error);
  for (; !error && entry != fs::directory_iterator(); entry.increment(error)) {
    const std::string name = entry->path().filename();
    if (name.starts_with("step-") && name.ends_with(".h5")) files.push_back(entry->path());
  }
  if (error) {
    throw OutputError(fmt::format("Cannot look for checkpoints in {}: {}.",
                                  folder.checkpoints().string(), error.message()));
  }
  std::sort(files.rbegin(), files.rend());  // The steps in the names have leading zeros.
  return files;
}

}  // namespace

std::optional<FoundCheckpoint> find_newest_checkpoint(const RunFolder& folder) {
  FoundCheckpoint found;
  for (const fs::path& file : checkpoint_files(folder)) {
    try {
      found.checkpoint = load_checkpoint(file);
      found.path = file;
      return found;
    } catch (const Error& error) {
      found.skipped.push_back(fmt::format("passed over {}: {}", file.string(), error.what()));
    }
  }
  if (found.skipped.empty()) return std::nullopt;
  throw DataError(fmt::format("No checkpoint in {} can be used: {}", folder.checkpoints().string(),
                              fmt::join(found.skipped, " ")));
}

std::vector<fs::path> set_aside(const RunFolder& folder, const RunGeneration& generation,
                                Index step, const std::function<void()>& write_first) {
  const fs::path target = folder.checkpoints() / fmt::format("set-aside-{}", generation.number());
  const fs::path first = folder.checkpoint(step);
  std::vector<fs::path> moved;
  std::error_code error;
  const auto move = [&](const fs::path& file) {
    fs::create_directories(target, error);
    const fs::path to = target / file.filename();
    generation.check();
    // Link `first` instead of moving it: it stays until it is replaced, so a checkpoint always
    // exists.
    if (file == first) fs::create_hard_link(file, to, error);
    if (file != first || error) fs::rename(file, to, error);
    if (error) {
      throw OutputError(fmt::format("Cannot set {} aside as {}: {}.", file.string(), to.string(),
                                    error.message()));
    }
    moved.push_back(to);
  };
  if (write_first) {
    if (fs::exists(first, error)) move(first);
    write_first();
  }
  // Newest last: if this session is killed in between, the next one finds the same newest
  // checkpoint.
  auto files = checkpoint_files(folder);
  std::reverse(files.begin(), files.end());
  for (const fs::path& file : files) {
    if (file > first || (write_first && file != first)) move(file);
  }
  for (const fs::path& file : {folder.pretrained(), folder.best(), folder.model()}) {
    if (!fs::is_regular_file(file, error)) continue;
    try {
      if (!write_first && load_checkpoint(file).state.progress.step <= step) continue;
    } catch (const Error&) {  // Damaged, but possibly repairable.
    }
    move(file);
  }
  return moved;
}

fs::path newest_checkpoint_name(const RunFolder& folder) {
  const auto files = checkpoint_files(folder);
  return files.empty() ? fs::path() : files.front();
}

CheckpointStore::CheckpointStore(RunFolder folder, RunGeneration generation, Index keep)
    : folder_(std::move(folder)),
      generation_(std::move(generation)),
      keep_(keep),
      priority_(::getpriority(PRIO_PROCESS, 0)),
      thread_([this] { work(); }) {}

CheckpointStore::~CheckpointStore() {
  {
    const std::lock_guard lock(mutex_);
    end_ = true;
  }
  changed_.notify_all();
  thread_.join();
}

bool CheckpointStore::idle() const {
  const std::lock_guard lock(mutex_);
  return !busy_;
}

void CheckpointStore::wait_until_idle() {
  std::unique_lock lock(mutex_);
  if (busy_ && writer_ != 0) set_priority(writer_, priority_);
  changed_.wait(lock, [this] { return !busy_; });
}

bool CheckpointStore::wait_for_idle(double seconds) {
  std::unique_lock lock(mutex_);
  return changed_.wait_for(lock, std::chrono::duration<double>(seconds), [this] { return !busy_; });
}

std::optional<double> CheckpointStore::longest_save() const {
  const std::lock_guard lock(mutex_);
  return longest_save_;
}

Checkpoint& CheckpointStore::buffer() {
  wait_until_idle();
  return buffer_;
}

Checkpoint& CheckpointStore::change_pretrained() {
  wait_until_idle();
  return pretrained_.emplace();
}

Checkpoint& CheckpointStore::change_model() {
  wait_until_idle();
  return model_;
}

Checkpoint& CheckpointStore::change_best(bool is_written) {
  wait_until_idle();
  best_is_due_ = !is_written;
  return best_;
}

void CheckpointStore::save(Files files) {
  {
    const std::lock_guard lock(mutex_);
    files_ = files;
    busy_ = true;
  }
  changed_.notify_all();
}

void CheckpointStore::save_now(Files files) {
  wait_until_idle();
  files_ = files;
  write();
}

std::vector<Index> CheckpointStore::take_saved() {
  const std::lock_guard lock(mutex_);
  return std::exchange(saved_, {});
}

std::vector<std::string> CheckpointStore::take_failures() {
  const std::lock_guard lock(mutex_);
  return std::exchange(failures_, {});
}

void CheckpointStore::work() {
  use_any_core();
  std::unique_lock lock(mutex_);
  writer_ = ::gettid();
  while (true) {
    changed_.wait(lock, [this] { return busy_ || end_; });
    if (!busy_) return;
    set_priority(writer_, priority_ + kLower);  // Until somebody waits.
    lock.unlock();
    write();
    lock.lock();
    busy_ = false;
    changed_.notify_all();
  }
}

void CheckpointStore::write() {
  const auto start = std::chrono::steady_clock::now();
  std::string failure;
  try {
    write_files();
  } catch (const std::exception& error) {
    failure = error.what();
  }
  const std::chrono::duration<double> taken = std::chrono::steady_clock::now() - start;
  const std::lock_guard lock(mutex_);
  if (!failure.empty()) failures_.push_back(std::move(failure));
  longest_save_ = std::max(longest_save_.value_or(0), taken.count());
}

void CheckpointStore::write_files() {
  // Before checkpoints of later steps: a run that resumes one of them cannot make it anew.
  if (pretrained_ && write_one(folder_.pretrained(), *pretrained_)) pretrained_.reset();
  if (files_.checkpoint) {
    // The checkpoint first: best.h5 and model.h5 must never be ahead of it.
    std::error_code ignored;  // If creating the folder fails, writing to it reports why.
    fs::create_directory(folder_.checkpoints(), ignored);
    const Index step = buffer_.state.progress.step;
    if (write_one(folder_.checkpoint(step), buffer_)) {
      remove_old(step);
      const std::lock_guard lock(mutex_);
      saved_.push_back(step);
    }
  }
  if (best_is_due_) best_is_due_ = !write_one(folder_.best(), best_);
  if (files_.model) {
    write_one(folder_.model(), model_);
    model_ = {};
  }
}

bool CheckpointStore::write_one(const fs::path& path, const Checkpoint& checkpoint) {
  try {
    save_checkpoint(path, checkpoint, image_, generation_.checker());
    return true;
  } catch (const std::exception& error) {
    const std::lock_guard lock(mutex_);
    failures_.emplace_back(error.what());
    return false;
  }
}

void CheckpointStore::remove_old(Index step) {
  std::error_code ignored;
  Index kept = 0;
  for (const fs::path& file : checkpoint_files(folder_)) {
    // The checkpoint of `step` has just been verified; count from it.
    if (file > folder_.checkpoint(step) || ++kept <= std::max<Index>(keep_, 1)) continue;
    // Until best.h5 is written, nothing else holds the model of the best epoch.
    if (best_is_due_ && file == folder_.checkpoint(best_.state.progress.step)) continue;
    fs::remove(file, ignored);
  }
}

}  // namespace sae
