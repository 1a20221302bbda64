// The lists of texts of Hdf5File.

#include <algorithm>
#include <cstring>

#include "hdf5_state.hpp"

namespace sae {

void Hdf5File::write_strings(const std::string& name, const std::vector<std::string>& values) {
  std::size_t size = 1;
  for (const std::string& value : values) size = std::max(size, value.size());
  std::string block(size * values.size(), '\0');
  for (std::size_t i = 0; i < values.size(); ++i) {
    std::memcpy(block.data() + i * size, values[i].data(), values[i].size());
  }
  const auto type = state_->own(H5Tcopy(H5T_C_S1), "H5Tcopy", name, H5Tclose);
  state_->check(H5Tset_size(type.id(), size), "H5Tset_size", name);
  state_->check(H5Tset_cset(type.id(), H5T_CSET_UTF8), "H5Tset_cset", name);
  state_->check(H5Tset_strpad(type.id(), H5T_STR_NULLPAD), "H5Tset_strpad", name);
  const auto count = static_cast<hsize_t>(values.size());
  const auto space =
      state_->own(H5Screate_simple(1, &count, nullptr), "H5Screate_simple", name, H5Sclose);
  const auto plan = state_->own(H5Pcreate(H5P_DATASET_CREATE), "H5Pcreate", name, H5Pclose);
  state_->check(H5Pset_obj_track_times(plan.id(), false), "H5Pset_obj_track_times", name);
  state_->plan_chunks(name, {.shape = {static_cast<Index>(count)}}, size, plan.id());
  state_->create_groups(name);
  const auto dataset = state_->own(H5Dcreate2(state_->file.id(), name.c_str(), type.id(),
                                              space.id(), H5P_DEFAULT, plan.id(), H5P_DEFAULT),
                                   "H5Dcreate", name, H5Dclose);
  state_->check(H5Dwrite(dataset.id(), type.id(), H5S_ALL, H5S_ALL, H5P_DEFAULT, block.data()),
                "H5Dwrite", name);
}

std::vector<std::string> Hdf5File::read_strings(const std::string& name) const {
  const State::Dataset& dataset = state_->dataset(name);
  const hid_t id = dataset.handle.id();
  const auto stored = state_->own(H5Dget_type(id), "H5Dget_type", name, H5Tclose);
  if (H5Tget_class(stored.id()) != H5T_STRING || dataset.shape.size() != 1) {
    state_->fail(name, "it is not a list of texts");
  }
  const auto count = static_cast<std::size_t>(dataset.shape[0]);
  std::vector<std::string> result(count);
  if (count == 0) return result;

  if (state_->check(H5Tis_variable_str(stored.id()), "H5Tis_variable_str", name) > 0) {
    const auto space = state_->own(H5Dget_space(id), "H5Dget_space", name, H5Sclose);
    std::vector<char*> texts(count, nullptr);
    state_->check(H5Dread(id, stored.id(), H5S_ALL, H5S_ALL, H5P_DEFAULT, texts.data()), "H5Dread",
                  name);
    std::ranges::transform(texts, result.begin(),
                           [](const char* text) { return text == nullptr ? "" : text; });
    state_->check(H5Dvlen_reclaim(stored.id(), space.id(), H5P_DEFAULT, texts.data()),
                  "H5Dvlen_reclaim", name);
    return result;
  }
  const std::size_t size = H5Tget_size(stored.id());
  std::string block(size * count, '\0');
  state_->check(H5Dread(id, stored.id(), H5S_ALL, H5S_ALL, H5P_DEFAULT, block.data()), "H5Dread",
                name);
  for (std::size_t i = 0; i < count; ++i) {
    const std::string text = block.substr(i * size, size);
    result[i] = text.substr(0, text.find('\0'));
  }
  return result;
}

}  // namespace sae
