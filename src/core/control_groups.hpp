#pragma once

#include <filesystem>
#include <optional>

namespace sae {

/// What the control groups of this process, with all that they are part of, leave it.
struct GroupLimits {
  std::optional<double> free_memory;  ///< Bytes that may still be taken. None: no limit.
  std::optional<double> cores;        ///< Processor time per time. None: no limit.
};

/// Of version 1 and version 2, also as seen from within a container. Where files are missing or
/// cannot be read there is no limit. `root` holds proc/ and sys/; another one is for tests.
GroupLimits control_group_limits(const std::filesystem::path& root = "/");

}  // namespace sae
