#include "sae/apply/inference_csv.hpp"

#include <fmt/format.h>

#include <cerrno>
#include <iterator>
#include <string>
#include <system_error>

#include "sae/core/error.hpp"

namespace sae {
namespace {

const char* value_name(Inference kind) {
  return kind == Inference::kPredictions ? "probability"
         : kind == Inference::kCodes     ? "unit"
                                         : "pixel";
}

}  // namespace

InferenceCsv::InferenceCsv(const std::filesystem::path& path, const InferenceSettings& settings,
                           Index outputs)
    : path_(path), stream_(stdout) {
  if (path != "-") {
    output_file_.emplace(path, OutputFile::Special::kWrittenThrough);
    stream_ = std::fopen(output_file_->temporary_path().c_str(), "w");
  }
  std::string head = "sample";
  if (settings.kind == Inference::kPredictions) head += ",label";
  for (Index i = 0; i < outputs; ++i) {
    fmt::format_to(std::back_inserter(head), ",{}{}", value_name(settings.kind), i);
  }
  write(head + "\n");
}

InferenceCsv::~InferenceCsv() {
  if (output_file_ && stream_ != nullptr) std::fclose(stream_);
}

void InferenceCsv::append(const InferenceBlock& block) {
  fmt::memory_buffer lines;
  const auto out = std::back_inserter(lines);
  for (Index j = 0; j < block.samples.size(); ++j) {
    fmt::format_to(out, "{}", block.samples.begin + j);
    if (!block.predicted.empty()) {
      fmt::format_to(out, ",{}", block.predicted[static_cast<std::size_t>(j)]);
    }
    for (const float value : block.values.col(j)) fmt::format_to(out, ",{}", value);
    lines.push_back('\n');
  }
  write({lines.data(), lines.size()});
}

void InferenceCsv::finish() {
  write("");
  if (!output_file_) return;
  const int failure = std::fclose(stream_);
  stream_ = nullptr;
  if (failure != 0) write("");
  output_file_->commit();
}

void InferenceCsv::write(std::string_view text) {
  if (stream_ != nullptr && std::fwrite(text.data(), 1, text.size(), stream_) == text.size() &&
      std::fflush(stream_) == 0) {
    return;
  }
  throw OutputError(fmt::format("Cannot write '{}': {}.",
                                path_ == "-" ? "standard output" : path_.string(),
                                std::system_category().message(errno)));
}

}  // namespace sae
