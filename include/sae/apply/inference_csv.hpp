#pragma once

#include <cstdio>
#include <filesystem>
#include <optional>
#include <string_view>

#include "sae/apply/inference.hpp"
#include "sae/storage/output_file.hpp"

namespace sae {

/// Writes results block by block as comma-separated values: a head, then a line for each sample
/// with its number in the split, the predicted class if there is one, and the values, which read
/// back as the same floats. Local. Throws: OutputError.
class InferenceCsv {
 public:
  /// "-": to standard output. Else the file is published complete or not at all.
  InferenceCsv(const std::filesystem::path& path, const InferenceSettings& settings, Index outputs);
  ~InferenceCsv();
  InferenceCsv(const InferenceCsv&) = delete;
  InferenceCsv& operator=(const InferenceCsv&) = delete;

  /// The blocks, in their order.
  void append(const InferenceBlock& block);

  /// Publishes the file.
  void finish();

 private:
  void write(std::string_view text);

  std::filesystem::path path_;
  std::optional<OutputFile> output_file_;  // None: standard output.
  std::FILE* stream_;
};

}  // namespace sae
