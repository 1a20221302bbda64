// Reads the input as an IDX file, as import does: block by block to the end.

#include <algorithm>
#include <vector>

#include "data/idx.hpp"
#include "fuzzing.hpp"
#include "sae/core/error.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const sae::InputFile file({data, size});
  try {
    sae::IdxReader reader(file.path());
    std::vector<std::uint8_t> block;
    for (sae::Index left = reader.count() * reader.item_size(); left > 0;) {
      block.resize(static_cast<std::size_t>(std::min<sae::Index>(left, 1 << 20)));
      reader.read(block);
      left -= static_cast<sae::Index>(block.size());
    }
    reader.finish();
  } catch (const sae::Error&) {  // Any other exception is a fault.
  }
  return 0;
}
