#include "sae/storage/sealed_file.hpp"

#include <fmt/format.h>
#include <xxhash.h>

#include <array>
#include <fstream>
#include <memory>
#include <new>
#include <string>
#include <string_view>
#include <vector>

#include "sae/core/error.hpp"
#include "sae/storage/input_file.hpp"

namespace sae {
namespace {

using Block = std::array<char, kSealBytes>;

constexpr std::string_view kMark = "sae_dist sealed file, XXH3 ";

/// Text that fills the user block; what follows it is zero.
Block seal_of(XXH64_hash_t digest) {
  Block block{};
  fmt::format_to_n(block.data(), block.size(), "{}{:016x}\n", kMark, digest);
  return block;
}

/// XXH3 of everything after the user block.
XXH64_hash_t digest_of(std::istream& file) {
  const std::unique_ptr<XXH3_state_t, decltype(&XXH3_freeState)> state(XXH3_createState(),
                                                                       &XXH3_freeState);
  if (!state) throw std::bad_alloc();
  XXH3_64bits_reset(state.get());
  std::vector<char> buffer(std::size_t{1} << 18);
  file.seekg(kSealBytes);
  while (file.read(buffer.data(), static_cast<std::streamsize>(buffer.size())), file.gcount() > 0) {
    XXH3_64bits_update(state.get(), buffer.data(), static_cast<std::size_t>(file.gcount()));
  }
  return XXH3_64bits_digest(state.get());
}

}  // namespace

void seal_file(const std::filesystem::path& path) {
  std::fstream file(path, std::ios::in | std::ios::out | std::ios::binary);
  const Block block = seal_of(digest_of(file));
  file.clear();
  file.seekp(0);
  file.write(block.data(), block.size());
  file.close();
  if (!file) throw OutputError(fmt::format("Cannot write the digest into {}.", path.string()));
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
        "{} is no model or checkpoint: it is not an HDF5 file that begins with our seal.",
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

}  // namespace sae
