#include "hdf5_handle.hpp"

#include <string_view>

namespace sae {

void prepare_hdf5() {
  // At the end of the process HDF5 1.10 closes what is open, and crashes if writing failed.
  static const herr_t once = H5dont_atexit();
  static_cast<void>(once);
  H5Eset_auto2(H5E_DEFAULT, nullptr, nullptr);
}

std::string last_hdf5_error() {
  std::string description;
  const auto keep_first = [](unsigned position, const H5E_error2_t* error, void* result) -> herr_t {
    if (position == 0 && error->desc != nullptr) *static_cast<std::string*>(result) = error->desc;
    return 0;
  };
  H5Ewalk2(H5E_DEFAULT, H5E_WALK_UPWARD, keep_first, &description);
  // A failure of the system comes with time, buffer address and the like.
  const std::string_view mark = "error message = '";
  if (const std::size_t found = description.find(mark); found != std::string::npos) {
    const std::size_t begin = found + mark.size();
    return description.substr(begin, description.find('\'', begin) - begin);
  }
  return description.substr(0, description.find('\n'));
}

}  // namespace sae
