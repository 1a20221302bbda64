#pragma once

#include <filesystem>
#include <optional>

namespace sae {

/// What the control groups of this process and their ancestors leave it.
struct GroupLimits {
  std::optional<double> free_memory;  ///< Bytes that may still be allocated. None: no limit.
  std::optional<double> cores;        ///< CPU quota in hardware threads. None: no limit.
};

/// Reads versions 1 and 2, also within a container. Missing or unreadable files mean no limit.
/// `root` holds proc/ and sys/; tests pass another one.
GroupLimits control_group_limits(const std::filesystem::path& root = "/");

}  // namespace sae
