#include "sae/storage/file_image.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <fstream>
#include <numeric>
#include <vector>

#include "sae/storage/hdf5_file.hpp"
#include "support/python.hpp"
#include "support/temporary_directory.hpp"

namespace sae {
namespace {

TEST(FileImage, IsTheFileThatHdf5Reads) {
  const TemporaryDirectory folder;
  const auto path = folder.path() / "file.h5";
  FileImage image;
  auto file = Hdf5File::create_image(image, path, 512);
  std::vector<float> values(1000 * 300);
  std::iota(values.begin(), values.end(), 0.0f);
  const std::vector<std::uint8_t> text{'a', 'b', 'c'};
  file.write<float>("/values", {1000, 300}, values);
  file.write<std::uint8_t>("/text", {3}, text);
  file.write_string("/", "config", std::string(5000, 'x'));
  file.close();
  EXPECT_FALSE(std::filesystem::exists(path));
  std::ofstream stream(path);
  image.write_to(path);
  EXPECT_EQ(std::filesystem::file_size(path), image.bytes().size());
  run_python(folder.path(), R"(
f = h5py.File("file.h5", "r")
v = f["values"]
assert v.chunks is None
assert (v[:] == np.arange(300000, dtype="f4").reshape(1000, 300)).all()
assert bytes(f["text"][:]) == b"abc" and f.attrs["config"] == 5000 * "x"
assert f.userblock_size == 512
)");
}

}  // namespace
}  // namespace sae
