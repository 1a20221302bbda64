// Files that are composed in memory, at the price of copying and little else.
#include <algorithm>
#include <cassert>
#include <cstring>
#include <new>

#include "fletcher32.hpp"
#include "hdf5_state.hpp"

namespace sae {
namespace {

// HDF5 keeps a file of its driver for memory in what these functions give it: the image. It takes
// no other memory there, asks for more as the file grows, and gives it back when it closes it.

void* resize_image(void* /*memory*/, std::size_t size, H5FD_file_image_op_t /*why*/, void* data) {
  auto* image = static_cast<FileImage*>(data);
  try {
    image->resize(size);
  } catch (const std::bad_alloc&) {
    return nullptr;
  }
  return image->bytes().data();
}

void* take_image(std::size_t size, H5FD_file_image_op_t why, void* data) {
  return resize_image(nullptr, size, why, data);
}

herr_t leave_image(void* /*memory*/, H5FD_file_image_op_t /*why*/, void* /*data*/) { return 0; }

void* same_data(void* data) { return data; }

herr_t leave_data(void* /*data*/) { return 0; }

}  // namespace

void Hdf5File::State::keep_in(FileImage& image, hid_t access) const {
  image.clear();
  check(H5Pset_fapl_core(access, FileImage::kBlockBytes, false), "H5Pset_fapl_core", "/");
  H5FD_file_image_callbacks_t callbacks{};
  callbacks.image_malloc = take_image;
  callbacks.image_realloc = resize_image;
  callbacks.image_free = leave_image;
  callbacks.udata_copy = same_data;
  callbacks.udata_free = leave_data;
  callbacks.udata = &image;
  check(H5Pset_file_image_callbacks(access, &callbacks), "H5Pset_file_image_callbacks", "/");
}

void Hdf5File::write_chunks(const std::string& name, std::span<const std::byte> values) {
  const State::Dataset& dataset = state_->dataset(name);
  const std::size_t row_bytes =
      static_cast<std::size_t>(dataset.row_elements()) * traits_of(dataset.type).size;
  const std::size_t chunk_bytes = static_cast<std::size_t>(dataset.chunk_rows) * row_bytes;
  if (values.empty()) return;
  assert(values.size() == static_cast<std::size_t>(dataset.shape.front()) * row_bytes);
  std::vector<std::byte> chunk(chunk_bytes + sizeof(std::uint32_t));
  std::vector<hsize_t> offset(dataset.shape.size(), 0);
  while (!values.empty()) {
    const auto part = values.first(std::min(chunk_bytes, values.size()));
    const auto rest = std::copy(part.begin(), part.end(), chunk.begin());
    std::fill(rest, chunk.begin() + static_cast<std::ptrdiff_t>(chunk_bytes), std::byte{0});
    // Little-endian, as the host.
    const std::uint32_t sum = fletcher32({chunk.data(), chunk_bytes});
    std::memcpy(chunk.data() + chunk_bytes, &sum, sizeof sum);
    state_->check(H5Dwrite_chunk(dataset.handle.id(), H5P_DEFAULT, 0, offset.data(), chunk.size(),
                                 chunk.data()),
                  "H5Dwrite_chunk", name);
    offset.front() += static_cast<hsize_t>(dataset.chunk_rows);
    values = values.subspan(part.size());
  }
}

}  // namespace sae
