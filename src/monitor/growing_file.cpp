#include "growing_file.hpp"

#include <fstream>

#include "sae/run/run_generation.hpp"
#include "sae/storage/output_file.hpp"

namespace sae {

void GrowingFile::replace(std::string text) {
  text_ = std::move(text);
  whole_ = false;
  retry();
}

void GrowingFile::append(const std::string& line) {
  text_ += line;
  if (whole_) {
    std::ofstream file(path_, std::ios::app);
    check_generation_();
    file << line << std::flush;
    whole_ = file.good();
  }
  retry();
}

void GrowingFile::retry() {
  if (whole_) return;
  try {
    write_text_file(path_, text_, check_generation_);
    whole_ = true;
  } catch (const SupersededError&) {
    throw;
  } catch (const OutputError&) {  // Tried again with the next line.
  }
}

}  // namespace sae
