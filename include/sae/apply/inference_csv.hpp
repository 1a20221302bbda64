#pragma once

#include <cstdio>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "sae/apply/inference.hpp"
#include "sae/storage/output_file.hpp"

namespace sae {

/// Writes results block by block as CSV: a header, then a line per sample with its number in the
/// split; the predicted class if any, and its name if it has one; whether it is an anomaly, if that
/// is decided; and the values, which read back as the same floats.
/// Local. Throws: OutputError.
class InferenceCsv {
 public:
  /// "-" means standard output. A file is published complete or not at all.
  InferenceCsv(const std::filesystem::path& path, const InferenceSettings& settings, Index outputs,
               const DataSpec& data);
  ~InferenceCsv();
  InferenceCsv(const InferenceCsv&) = delete;
  InferenceCsv& operator=(const InferenceCsv&) = delete;

  /// Requires: blocks are in order.
  void append(const InferenceBlock& block);

  /// Publishes the file.
  void finish();

 private:
  void write(std::string_view text);

  std::filesystem::path path_;
  InferenceSettings settings_;
  std::vector<std::string> class_names_;
  std::optional<OutputFile> output_file_;  // None for standard output.
  std::FILE* stream_;
};

}  // namespace sae
