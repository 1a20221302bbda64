#include "sae/train/run_folder.hpp"

#include <fmt/format.h>

#include <fstream>
#include <system_error>

#include "sae/core/error.hpp"
#include "sae/storage/atomic_file.hpp"

namespace sae {

void RunFolder::create(const std::string& config_text) const {
  std::error_code error;
  std::filesystem::create_directories(path_, error);
  if (error) {
    throw OutputError(
        fmt::format("Cannot make the run folder {}: {}.", path_.string(), error.message()));
  }
  for (const auto& file : {config(), metrics(), best(), model()}) {
    if (std::filesystem::exists(file, error)) {
      throw OutputError(fmt::format(
          "The run folder {} already holds a run ({} is there); choose another with --run.",
          path_.string(), file.filename().string()));
    }
  }
  AtomicFile file(config());
  std::ofstream stream(file.temporary_path());
  stream << config_text << std::flush;
  if (!stream) throw OutputError(fmt::format("Cannot write {}.", config().string()));
  stream.close();
  file.commit();
}

}  // namespace sae
