#pragma once

#include <filesystem>
#include <vector>

namespace sae {

/// Checks that results may be written to `output`; accepts "-" and an empty path.
/// Local. Throws: OutputError if it is one of `inputs`, by any name or link, or, without `force`, a
/// model, checkpoint or data set.
void check_output(const std::filesystem::path& output,
                  const std::vector<std::filesystem::path>& inputs, bool force);

}  // namespace sae
