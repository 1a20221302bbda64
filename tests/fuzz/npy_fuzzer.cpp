// Imports the input as NumPy's file: an array, or an archive of arrays with their usual names.

#include <vector>

#include "data/npy.hpp"
#include "fuzzing.hpp"
#include "sae/core/error.hpp"
#include "sae/data/import.hpp"

namespace {

using namespace sae;

/// Reads all elements of each array of an archive, whatever its name.
void read_members(const std::filesystem::path& path) {
  for (const ZipMember& member : read_zip_directory(path)) {
    try {
      NpyReader reader(path, member);
      double product = 1;  // Of sizes one of which may be 0.
      for (const Index size : reader.shape()) product *= static_cast<double>(size);
      const auto elements = static_cast<Index>(product);
      const std::size_t bytes = reader.type() == ElementType::kUint8     ? 1
                                : reader.type() == ElementType::kFloat32 ? 4
                                                                         : 8;
      const ElementType as =
          reader.type() == ElementType::kOtherInteger ? ElementType::kInt64 : reader.type();
      std::vector<std::byte> block;
      for (Index left = elements; left > 0;) {
        const Index count = std::min<Index>(left, 1 << 16);
        block.resize(static_cast<std::size_t>(count) * bytes);
        reader.read(as, block);
        left -= count;
      }
      reader.finish();
    } catch (const Error&) {  // Any other exception is a fault.
    }
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const InputFile file({data, size});
  const ImportOptions options{.output = file.path().string() + ".h5"};
  try {
    import_npy(
        {.train_images = file.path(), .train_labels = "", .test_images = "", .test_labels = ""},
        options);
  } catch (const Error&) {
  }
  std::filesystem::remove(options.output);
  try {
    if (is_zip(file.path())) read_members(file.path());
  } catch (const Error&) {
  }
  return 0;
}
