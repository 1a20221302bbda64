#include "sae/storage/file_image.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <fstream>
#include <numeric>
#include <random>
#include <vector>

#include "sae/storage/hdf5_file.hpp"
#include "storage/fletcher32.hpp"
#include "support/python.hpp"
#include "support/temporary_directory.hpp"

namespace sae {
namespace {

TEST(FileImage, IsTheFileThatHdf5Reads) {
  const TemporaryDirectory folder;
  const auto path = folder.path() / "file.h5";
  FileImage image;
  auto file = Hdf5File::create_image(image, path, 512);
  // Chunks of 218 rows: the last one is short.
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
assert v.fletcher32 and v.chunks == (218, 300)
assert (v[:] == np.arange(300000, dtype="f4").reshape(1000, 300)).all()
assert f["text"].fletcher32 and bytes(f["text"][:]) == b"abc" and f.attrs["config"] == 5000 * "x"
assert f.userblock_size == 512
)");
}

// HDF5's own algorithm, one word at a time.
std::uint32_t plain_fletcher32(std::span<const std::byte> bytes) {
  std::uint32_t sum1 = 0;
  std::uint32_t sum2 = 0;
  for (std::size_t i = 0; i < bytes.size(); i += 2) {
    const auto high = std::to_integer<std::uint32_t>(bytes[i]);
    const auto low = i + 1 < bytes.size() ? std::to_integer<std::uint32_t>(bytes[i + 1]) : 0;
    sum1 += (high << 8) + low;
    sum1 = (sum1 & 0xffffU) + (sum1 >> 16);
    sum2 += sum1;
    sum2 = (sum2 & 0xffffU) + (sum2 >> 16);
  }
  return sum2 << 16 | sum1;
}

TEST(Fletcher32, IsThatOfHdf5ForAnyLengthAndValues) {
  std::mt19937 random(7);
  for (const std::size_t size :
       {0U, 1U, 2U, 63U, 64U, 65U, 127U, 1000U, 16383U, 16384U, 16448U, 70001U, 262144U}) {
    std::vector<std::byte> bytes(size);
    EXPECT_EQ(fletcher32(bytes), plain_fletcher32(bytes)) << size << " zeros";
    std::ranges::fill(bytes, std::byte{0xff});
    EXPECT_EQ(fletcher32(bytes), plain_fletcher32(bytes)) << size << " ones";
    std::ranges::generate(bytes, [&] { return static_cast<std::byte>(random()); });
    EXPECT_EQ(fletcher32(bytes), plain_fletcher32(bytes)) << size << " random bytes";
  }
}

}  // namespace
}  // namespace sae
