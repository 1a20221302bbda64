#include "sae/apply/inference_csv.hpp"

#include <fmt/format.h>

#include <cerrno>
#include <iterator>
#include <string>
#include <system_error>

#include "sae/core/error.hpp"

namespace sae {
namespace {

/// A field of the header, in quotes where it needs them (RFC 4180).
std::string csv_field(const std::string& text) {
  if (text.find_first_of(",\"\r\n") == std::string::npos) return text;
  std::string quoted = "\"";
  for (const char c : text) quoted += c == '"' ? "\"\"" : std::string(1, c);
  return quoted + '"';
}

/// The name of value `i` of a sample.
std::string value_name(const InferenceSettings& settings, const DataSpec& data, Index i) {
  const auto named = [&i](const char* prefix, const std::vector<std::string>& names) {
    const std::string name =
        names.empty() ? fmt::format("{}", i) : "_" + names[static_cast<std::size_t>(i)];
    return prefix + name;
  };
  switch (settings.kind) {
    case Inference::kPredictions:
      return named("probability", data.class_names);
    case Inference::kCodes:
      return fmt::format("unit{}", i);
    case Inference::kReconstructions:
      if (data.feature_names.empty()) return fmt::format("pixel{}", i);
      return data.feature_names[static_cast<std::size_t>(i)];
    case Inference::kScores:
      break;
  }
  if (i == 0) return "score";
  --i;
  return named("error", data.feature_names);
}

}  // namespace

InferenceCsv::InferenceCsv(const std::filesystem::path& path, const InferenceSettings& settings,
                           Index outputs, const DataSpec& data)
    : path_(path), settings_(settings), class_names_(data.class_names), stream_(stdout) {
  if (path != "-") {
    output_file_.emplace(path, OutputFile::Special::kWrittenThrough);
    stream_ = std::fopen(output_file_->temporary_path().c_str(), "w");
  }
  std::string head = "sample";
  if (settings.kind == Inference::kPredictions) head += ",label";
  if (settings.kind == Inference::kPredictions && !class_names_.empty()) head += ",class";
  if (settings.threshold) head += ",anomaly";
  for (Index i = 0; i < outputs; ++i) {
    head += ',';
    head += csv_field(value_name(settings, data, i));
  }
  write(head + "\n");
}

InferenceCsv::~InferenceCsv() {
  if (output_file_ && stream_ != nullptr) std::fclose(stream_);
}

void InferenceCsv::append(const InferenceBlock& block) {
  fmt::memory_buffer lines;
  const auto out = std::back_inserter(lines);
  for (Index j = 0; j < block.positions.size(); ++j) {
    fmt::format_to(out, "{}", settings_.samples.sample_at(block.positions.begin + j));
    if (!block.predicted.empty()) {
      const std::size_t label = block.predicted[static_cast<std::size_t>(j)];
      fmt::format_to(out, ",{}", label);
      if (!class_names_.empty()) fmt::format_to(out, ",{}", csv_field(class_names_[label]));
    }
    if (settings_.threshold) {
      fmt::format_to(out, ",{}", block.values(0, j) > *settings_.threshold ? 1 : 0);
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
