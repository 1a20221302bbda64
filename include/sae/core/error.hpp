#pragma once

#include <exception>
#include <stdexcept>
#include <string>

namespace sae {

/// Exit codes of the program. Batch scripts decide by them.
enum class ExitCode : int {
  kDone = 0,
  kUsage = 64,         ///< Wrong options.
  kBadInput = 65,      ///< Damaged or unsuitable input.
  kMissingInput = 66,  ///< Input that does not exist or cannot be opened.
  kInternal = 70,      ///< Internal or communication failure.
  kOutput = 73,        ///< Output that cannot be written.
  kStopped = 75,       ///< Stopped cleanly; can be resumed.
  kDiverged = 76,      ///< Loss or gradient not finite.
};

/// A failure: one full sentence (what was tried, on what, what was found)
/// and the exit code of its kind.
class Error : public std::runtime_error {
 public:
  Error(ExitCode code, const std::string& sentence) : std::runtime_error(sentence), code_(code) {}
  ExitCode code() const { return code_; }

 private:
  ExitCode code_;
};

/// Exit code and sentence for any exception that ends the program.
ExitCode code_of(const std::exception& error);
std::string sentence_of(const std::exception& error);

class UsageError : public Error {
 public:
  explicit UsageError(const std::string& sentence) : Error(ExitCode::kUsage, sentence) {}
};

class DataError : public Error {
 public:
  explicit DataError(const std::string& sentence) : Error(ExitCode::kBadInput, sentence) {}
};

class MissingInputError : public Error {
 public:
  explicit MissingInputError(const std::string& sentence)
      : Error(ExitCode::kMissingInput, sentence) {}
};

class OutputError : public Error {
 public:
  explicit OutputError(const std::string& sentence) : Error(ExitCode::kOutput, sentence) {}
};

}  // namespace sae
