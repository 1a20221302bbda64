#pragma once

#include <hdf5.h>

#include <string>
#include <utility>

namespace sae {

/// Owns an HDF5 identifier.
class Hdf5Handle {
 public:
  using Close = herr_t (*)(hid_t);

  Hdf5Handle() = default;
  Hdf5Handle(hid_t id, Close function) : id_(id), close_(function) {}
  Hdf5Handle(Hdf5Handle&& other) noexcept
      : id_(std::exchange(other.id_, H5I_INVALID_HID)), close_(other.close_) {}
  Hdf5Handle& operator=(Hdf5Handle&& other) noexcept {
    std::swap(id_, other.id_);
    std::swap(close_, other.close_);
    return *this;
  }
  ~Hdf5Handle() { close(); }

  hid_t id() const { return id_; }
  /// Leaves the identifier open for ever.
  void abandon() { id_ = H5I_INVALID_HID; }
  /// What the HDF5 function said; success if there is nothing to close.
  herr_t close() {
    const hid_t id = std::exchange(id_, H5I_INVALID_HID);
    return id >= 0 ? close_(id) : 0;
  }

 private:
  hid_t id_ = H5I_INVALID_HID;
  Close close_ = nullptr;
};

/// To be called before any other function of HDF5: it prints nothing and has no part in the
/// end of the process.
void prepare_hdf5();

/// HDF5's own description of the last failure where it arose; empty if there is none.
std::string last_hdf5_error();

}  // namespace sae
