// Reads the input as a data set file, and all its samples.

#include <algorithm>
#include <vector>

#include "fuzzing.hpp"
#include "sae/core/error.hpp"
#include "sae/data/dataset_file.hpp"

namespace {

using namespace sae;

/// What cannot be read is passed over: a program may ask for other samples.
void read_block(const DatasetFile& file, Split split, Range block) {
  const auto count = static_cast<std::size_t>(block.size());
  std::vector<std::byte> images(count * file.info().bytes_per_sample());
  std::vector<std::uint16_t> labels(count);
  try {
    file.read_images(split, block, images);
  } catch (const Error&) {
  }
  if (!file.info().has_labels(split)) return;
  try {
    file.read_labels(split, block, labels);
  } catch (const Error&) {
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const InputFile input({data, size});
  try {
    const DatasetFile file(input.path());
    const auto rows = static_cast<Index>(
        std::max<std::size_t>((std::size_t{1} << 20) / file.info().bytes_per_sample(), 1));
    for (const Split split : {Split::kTrain, Split::kTest}) {
      const Index count = file.info().count(split);
      for (Index begin = 0; begin < count; begin += rows) {
        read_block(file, split, {begin, std::min(begin + rows, count)});
      }
    }
  } catch (const Error&) {  // Any other exception is a fault.
  }
  return 0;
}
