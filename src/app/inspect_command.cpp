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
  std::error_code ignored;  // What cannot be looked at is refused by who opens it.
  if (std::filesystem::is_directory(path, ignored)) return inspect_run(path);
  if (has_seal(path)) return inspect_checkpoint(path);
  inspect_dataset(path, terminal_columns().value_or(0));  // Refuses what is none, and says why.
}

}  // namespace

void run_inspect(const InspectOptions& options, Communicator& comm) {
  if (comm.is_root()) inspect(options.file);
  comm.barrier();
}

}  // namespace sae
