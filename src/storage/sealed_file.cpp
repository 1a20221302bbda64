#include "sae/storage/sealed_file.hpp"

#include <fmt/format.h>

// Compiled here, for the instructions of this build: the library has those of any machine.
#define XXH_INLINE_ALL
#include <xxhash.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <fstream>
#include <memory>
#include <new>
#include <string>
#include <string_view>
#include <vector>

#include "direct_file.hpp"
#include "sae/core/error.hpp"
#include "sae/storage/input_file.hpp"

namespace sae {
namespace {

using Block = std::array<char, kSealBytes>;

constexpr std::size_t kReadBytes = std::size_t{1} << 19;  // Stays in the second-level cache.
constexpr std::string_view kMark = "sae_dist sealed file, XXH3 ";

/// Text that fills the user block; what follows it is zero.
Block seal_of(XXH64_hash_t digest) {
  Block block{};
  fmt::format_to_n(block.data(), block.size(), "{}{:016x}\n", kMark, digest);
  return block;
}

/// XXH3 of what is added, one after the other.
class Digest {
 public:
  Digest() : state_(XXH3_createState(), &XXH3_freeState) {
    if (!state_) throw std::bad_alloc();
    XXH3_64bits_reset(state_.get());
  }
  void add(const void* bytes, std::size_t size) { XXH3_64bits_update(state_.get(), bytes, size); }
  XXH64_hash_t value() const { return XXH3_64bits_digest(state_.get()); }

 private:
  std::unique_ptr<XXH3_state_t, decltype(&XXH3_freeState)> state_;
};

/// Of everything after the user block.
XXH64_hash_t digest_of(std::istream& file) {
  Digest digest;
  std::vector<char> buffer(kReadBytes);
  file.seekg(kSealBytes);
  while (file.read(buffer.data(), static_cast<std::streamsize>(buffer.size())), file.gcount() > 0) {
    digest.add(buffer.data(), static_cast<std::size_t>(file.gcount()));
  }
  return digest.value();
}

}  // namespace

void seal_image(FileImage& image) {
  const auto sealed = image.bytes().subspan(kSealBytes);
  const Block block = seal_of(XXH3_64bits(sealed.data(), sealed.size()));
  std::memcpy(image.bytes().data(), block.data(), block.size());
}

bool has_seal(const std::filesystem::path& path) {
  size_of_readable_file(path);
  std::ifstream file(path, std::ios::binary);
  std::string begin(kMark.size(), '\0');
  file.read(begin.data(), static_cast<std::streamsize>(begin.size()));
  return begin == kMark;
}

void check_seal(const std::filesystem::path& path) {
  if (!has_seal(path)) {
    throw DataError(fmt::format(
        "{} is neither a model nor a checkpoint of sae_dist. A data set is named by --data.",
        path.string()));
  }
  std::ifstream file(path, std::ios::binary);
  Block found{};
  file.read(found.data(), found.size());
  if (found != seal_of(digest_of(file))) {
    throw DataError(fmt::format("{} is damaged: its contents do not match the digest at its begin.",
                                path.string()));
  }
}

void check_written(const std::filesystem::path& path, const FileImage& image) {
  DirectFile file(path, DirectFile::Use::kRead);
  FileImage buffer;
  buffer.resize(kReadBytes);
  Block seal{};
  Digest digest;
  std::size_t total = 0;
  while (const std::size_t count = file.read(buffer.bytes())) {
    const auto bytes = buffer.bytes().first(count);
    // The user block lies within the first block that is read.
    const std::size_t skipped = total == 0 ? std::min<std::size_t>(kSealBytes, count) : 0;
    std::memcpy(seal.data(), bytes.data(), skipped);
    digest.add(bytes.data() + skipped, count - skipped);
    total += count;
  }
  if (total != image.bytes().size() || seal != seal_of(digest.value()) ||
      std::memcmp(seal.data(), image.bytes().data(), seal.size()) != 0) {
    throw OutputError(fmt::format("{} did not read back as it was written.", path.string()));
  }
}

}  // namespace sae
