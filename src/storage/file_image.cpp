#include "sae/storage/file_image.hpp"

#include <sys/mman.h>

#include <algorithm>
#include <new>

#include "direct_file.hpp"

namespace sae {

FileImage::~FileImage() {
  if (memory_ != nullptr) ::munmap(memory_, capacity_);
}

void FileImage::resize(std::size_t size) {
  const std::size_t rounded = (size + kBlockBytes - 1) / kBlockBytes * kBlockBytes;
  if (rounded > capacity_) {
    constexpr std::size_t kLeast = std::size_t{1} << 20;
    const std::size_t wanted = std::max({rounded, 2 * capacity_, kLeast});
    void* const memory = memory_ == nullptr ? ::mmap(nullptr, wanted, PROT_READ | PROT_WRITE,
                                                     MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)
                                            : ::mremap(memory_, capacity_, wanted, MREMAP_MAYMOVE);
    if (memory == MAP_FAILED) throw std::bad_alloc();
    memory_ = static_cast<std::byte*>(memory);
    // Large pages where there are some: the system takes hold of each page to write it.
    static_cast<void>(::madvise(memory_, wanted, MADV_HUGEPAGE));
    capacity_ = wanted;
  }
  size_ = rounded;
}

void FileImage::write_to(const std::filesystem::path& path) const {
  DirectFile file(path, DirectFile::Use::kWrite);
  file.write(bytes());
}

}  // namespace sae
