#include "sae/run/run_generation.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <fstream>
#include <iterator>
#include <optional>
#include <sstream>
#include <system_error>

#include "sae/core/error.hpp"
#include "sae/core/host.hpp"
#include "sae/storage/output_file.hpp"

namespace sae {
namespace {

/// The contents of the file; none if it does not exist.
/// Throws: OutputError if it exists but cannot be read.
std::optional<std::string> read(const std::filesystem::path& path) {
  std::ifstream file(path);
  if (!file && errno == ENOENT) return std::nullopt;
  std::string text{std::istreambuf_iterator<char>(file), {}};
  if (!file) {
    throw OutputError(fmt::format("Cannot tell whose the run folder is: {} cannot be read: {}.",
                                  path.string(), std::generic_category().message(errno)));
  }
  return text;
}

/// The generation number in the file's text; 0 if it has none.
Index number_in(const std::string& text) {
  Index number = 0;
  std::istringstream(text) >> number;
  return number;
}

}  // namespace

RunGeneration RunGeneration::take(const RunFolder& folder) {
  const Index number = number_in(read(folder.generation()).value_or("")) + 1;
  // Texts are unique: if two sessions take the same number at once, the later write wins.
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  const std::string text = fmt::format("{} of process {} on {} at {} ns\n", number, ::getpid(),
                                       host_name(), std::chrono::nanoseconds(now).count());
  write_text_file(folder.generation(), text);
  return {folder, number, text};
}

void RunGeneration::check() const {
  const std::optional<std::string> text = read(folder_.generation());
  // Without the file, no other session has taken the folder.
  if (!text || *text == text_) return;
  throw SupersededError(fmt::format(
      "A newer process uses the run folder {} (generation {}). This one, of generation {}, "
      "may not write to it any more and ends.",
      folder_.path().string(), text->substr(0, text->find(" at ")), number_));
}

}  // namespace sae
