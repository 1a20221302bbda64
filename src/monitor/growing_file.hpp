#pragma once

#include <filesystem>
#include <functional>
#include <string>

namespace sae {

/// A text file that grows line by line. What cannot be written, for a full disk say, is written
/// later, with the file as a whole.
class GrowingFile {
 public:
  /// `check_generation` is called before anything is written; see RunSummary.
  GrowingFile(std::filesystem::path path, std::function<void()> check_generation)
      : path_(std::move(path)), check_generation_(std::move(check_generation)) {}

  /// A new file with this text takes the place of the old one, which an older session may still
  /// have open. Throws: SupersededError.
  void replace(std::string text);
  /// Throws: SupersededError.
  void append(const std::string& line);
  /// Writes what could not be written. Throws: SupersededError.
  void retry();
  /// All that the file should hold.
  const std::string& text() const { return text_; }

 private:
  std::filesystem::path path_;
  std::function<void()> check_generation_;
  std::string text_;
  bool whole_ = true;  ///< The file holds all of it.
};

}  // namespace sae
