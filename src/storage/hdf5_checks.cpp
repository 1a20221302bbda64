// What Hdf5File tells of the protection of a data set.

#include "hdf5_state.hpp"

namespace sae {

bool Hdf5File::has_check_sums(const std::string& name) const {
  const hid_t dataset = state_->dataset(name).handle.id();
  const auto plan =
      state_->own(H5Dget_create_plist(dataset), "H5Dget_create_plist", name, H5Pclose);
  if (H5Pget_layout(plan.id()) != H5D_CHUNKED) return false;
  // The oldest index alone has no check sum; and with the newer ones come headers that have one.
  H5D_chunk_index_t index = H5D_CHUNK_IDX_BTREE;
  state_->check(H5Dget_chunk_index_type(dataset, &index), "H5Dget_chunk_index_type", name);
  if (index == H5D_CHUNK_IDX_BTREE) return false;
  const int filters = state_->check(H5Pget_nfilters(plan.id()), "H5Pget_nfilters", name);
  for (unsigned i = 0; i < static_cast<unsigned>(filters); ++i) {
    unsigned flags = 0;
    unsigned settings = 0;
    std::size_t setting_count = 0;
    const H5Z_filter_t filter = state_->check(
        H5Pget_filter2(plan.id(), i, &flags, &setting_count, nullptr, 0, nullptr, &settings),
        "H5Pget_filter", name);
    if (filter == H5Z_FILTER_FLETCHER32) return true;
  }
  return false;
}

}  // namespace sae
