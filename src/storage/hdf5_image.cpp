// Files that are composed in memory, at the price of copying and little else.
#include <new>

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

}  // namespace sae
