#include "sae/run/run_folder.hpp"

#include <fmt/format.h>

#include <system_error>

#include "sae/core/error.hpp"
#include "sae/storage/output_file.hpp"

namespace sae {

std::filesystem::path RunFolder::checkpoint(Index step) const {
  return checkpoints() / fmt::format("step-{:010}.h5", step);
}

bool RunFolder::holds_run() const {
  std::error_code error;
  for (const auto& name : {config(), metrics(), pretrained(), best(), model(), checkpoints()}) {
    if (std::filesystem::exists(name, error)) return true;
  }
  return false;
}

void RunFolder::remove_temporary_files() const {
  for (const auto& folder : {path_, checkpoints()}) {
    std::error_code ignored;  // Files that cannot be listed or removed do no harm.
    for (std::filesystem::directory_iterator entry(folder, ignored), end; entry != end;
         entry.increment(ignored)) {
      if (entry->is_symlink(ignored) || !OutputFile::is_unfinished(entry->path())) continue;
      std::filesystem::remove(entry->path(), ignored);
    }
  }
}

void RunFolder::create() const {
  std::error_code error;
  std::filesystem::create_directories(path_, error);
  if (error) {
    throw OutputError(
        fmt::format("Cannot make the run folder {}: {}.", path_.string(), error.message()));
  }
}

}  // namespace sae
