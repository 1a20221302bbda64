#pragma once

#include <filesystem>
#include <vector>

namespace sae {

/// Looks at what stands where results are to go; "-" and an empty path are nowhere. Local.
/// Throws: OutputError if it is one of `inputs`, by whatever name or link, or, without `force`, a
/// model, a checkpoint or a data set.
void check_output(const std::filesystem::path& output,
                  const std::vector<std::filesystem::path>& inputs, bool force);

}  // namespace sae
