#include "sae/monitor/terminal.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <cstdlib>

namespace sae {
namespace {

std::optional<int> columns_of(int descriptor) {
  if (isatty(descriptor) == 0) return std::nullopt;
  winsize size{};
  const bool known = ioctl(descriptor, TIOCGWINSZ, &size) == 0 && size.ws_col > 0;
  return known ? size.ws_col : 80;
}

}  // namespace

std::optional<int> terminal_columns() {
  // Set by Open MPI for each rank, and by srun for each task.
  const bool launched =
      std::getenv("OMPI_COMM_WORLD_SIZE") != nullptr || std::getenv("PMIX_RANK") != nullptr;
  if (!launched) return columns_of(STDOUT_FILENO);
  const std::string output_of_parent = fmt::format("/proc/{}/fd/1", getppid());
  const int descriptor = open(output_of_parent.c_str(), O_WRONLY | O_NOCTTY | O_CLOEXEC);
  if (descriptor < 0) return std::nullopt;
  const auto columns = columns_of(descriptor);
  close(descriptor);
  return columns;
}

}  // namespace sae
