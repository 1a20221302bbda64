#include "outputs.hpp"

#include <fmt/format.h>

#include <system_error>

#include "sae/core/error.hpp"
#include "sae/data/dataset_file.hpp"
#include "sae/storage/sealed_file.hpp"

namespace sae {
namespace {

/// Kind of an existing file that only --force replaces; empty for others.
const char* kind_of(const std::filesystem::path& path) {
  std::error_code ignored;
  if (!std::filesystem::is_regular_file(path, ignored)) return "";
  try {
    if (has_seal(path)) return "a model or a checkpoint";
    const DatasetFile dataset(path);
    return "a data set";
  } catch (const Error&) {
    return "";
  }
}

}  // namespace

void check_output(const std::filesystem::path& output,
                  const std::vector<std::filesystem::path>& inputs, bool force) {
  if (output.empty() || output == "-") return;
  std::error_code ignored;  // A missing file is not the same.
  for (const auto& input : inputs) {
    if (!input.empty() && std::filesystem::equivalent(output, input, ignored)) {
      throw OutputError(fmt::format("Results do not go to {}: it is read.", output.string()));
    }
  }
  const std::string kind = force ? "" : kind_of(output);
  if (!kind.empty()) {
    throw OutputError(
        fmt::format("{} is {}: it is replaced only by --force.", output.string(), kind));
  }
}

}  // namespace sae
