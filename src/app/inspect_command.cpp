#include <system_error>

#include "commands.hpp"
#include "inspect_checkpoint.hpp"
#include "inspect_dataset.hpp"
#include "inspect_run.hpp"
#include "sae/monitor/terminal.hpp"
#include "sae/storage/sealed_file.hpp"

namespace sae {
namespace {

void inspect(const std::filesystem::path& path) {
  std::error_code ignored;  // Opening the file reports the error.
  if (std::filesystem::is_directory(path, ignored)) return inspect_run(path);
  if (has_seal(path)) return inspect_checkpoint(path);
  inspect_dataset(path, terminal_columns().value_or(0));  // Throws if it is not a data set.
}

}  // namespace

void run_inspect(const InspectOptions& options, Communicator& comm) {
  if (comm.is_root()) inspect(options.file);
  comm.barrier();
}

}  // namespace sae
