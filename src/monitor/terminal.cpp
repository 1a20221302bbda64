#include "sae/monitor/terminal.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <fstream>
#include <iterator>
#include <string>

namespace sae {
namespace {

std::optional<int> columns_of(int descriptor) {
  if (isatty(descriptor) == 0) return std::nullopt;
  winsize size{};
  const bool known = ioctl(descriptor, TIOCGWINSZ, &size) == 0 && size.ws_col > 0;
  return known ? size.ws_col : 80;
}

/// Whether a launcher started this process as one of its ranks. MPI_Init puts its variables into
/// the environment of a lone process too, so that only the one given at the start tells.
bool launched() {
  std::ifstream environment("/proc/self/environ");
  const std::string variables{std::istreambuf_iterator<char>(environment), {}};
  return variables.find("OMPI_COMM_WORLD_SIZE=") != std::string::npos ||
         variables.find("PMIX_RANK=") != std::string::npos;
}

}  // namespace

std::optional<int> terminal_columns() {
  static const bool by_launcher = launched();
  if (!by_launcher) return columns_of(STDOUT_FILENO);
  const std::string output_of_parent = fmt::format("/proc/{}/fd/1", getppid());
  const int descriptor = open(output_of_parent.c_str(), O_WRONLY | O_NOCTTY | O_CLOEXEC);
  if (descriptor < 0) return std::nullopt;
  const auto columns = columns_of(descriptor);
  close(descriptor);
  return columns;
}

}  // namespace sae
