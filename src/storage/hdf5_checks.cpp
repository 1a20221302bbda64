// What Hdf5File tells of the protection of a data set, and whether all of its values are there:
// libhdf5 takes the fill value, as a rule 0, for what was never written or lies in a file that is
// gone.

#include <algorithm>
#include <cstdlib>
#include <optional>
#include <system_error>

#include "hdf5_state.hpp"

namespace sae {
namespace {

namespace fs = std::filesystem;

constexpr int kMostNested = 8;  // Virtual data sets of virtual data sets.

/// The folders in which HDF5 looks for a source of a virtual data set, in its order.
std::vector<fs::path> source_folders(const fs::path& file) {
  std::vector<fs::path> folders;
  if (const char* prefix = std::getenv("HDF5_VDS_PREFIX")) folders.emplace_back(prefix);
  folders.push_back(file.parent_path());
  folders.emplace_back();
  return folders;
}

/// The name of source `i`, by `read`: H5Pget_virtual_filename or its like.
template <typename Read>
std::string name_by(const Read& read, hid_t plan, std::size_t i) {
  const ssize_t length = read(plan, i, nullptr, 0);
  std::string name(static_cast<std::size_t>(std::max<ssize_t>(length, 0)), '\0');
  if (length > 0) read(plan, i, name.data(), name.size() + 1);
  return name;
}

}  // namespace

bool Hdf5File::has_check_sums(const std::string& name) const {
  const hid_t dataset = state_->dataset(name).handle.id();
  const auto plan =
      state_->own(H5Dget_create_plist(dataset), "H5Dget_create_plist", name, H5Pclose);
  if (H5Pget_layout(plan.id()) != H5D_CHUNKED) return false;
  // The oldest index alone has no check sum; and with the newer ones come headers that have one.
  H5D_chunk_index_t index = H5D_CHUNK_IDX_BTREE;
  state_->check(H5Dget_chunk_index_type(dataset, &index), "H5Dget_chunk_index_type", name);
  if (index == H5D_CHUNK_IDX_BTREE) return false;
  // The last filter is the first that sees what is read.
  const auto filters = state_->filters(name, plan.id());
  return !filters.empty() && filters.back() == H5Z_FILTER_FLETCHER32;
}

Index Hdf5File::chunk_rows(const std::string& name) const {
  const State::Dataset& dataset = state_->dataset(name);
  const auto plan =
      state_->own(H5Dget_create_plist(dataset.handle.id()), "H5Dget_create_plist", name, H5Pclose);
  if (H5Pget_layout(plan.id()) != H5D_CHUNKED) return 1;
  std::vector<hsize_t> chunk(dataset.shape.size());
  state_->check(H5Pget_chunk(plan.id(), static_cast<int>(chunk.size()), chunk.data()),
                "H5Pget_chunk", name);
  return static_cast<Index>(chunk.front());
}

bool Hdf5File::is_contiguous(const std::string& name) const {
  const hid_t dataset = state_->dataset(name).handle.id();
  const auto plan =
      state_->own(H5Dget_create_plist(dataset), "H5Dget_create_plist", name, H5Pclose);
  return H5Pget_layout(plan.id()) == H5D_CONTIGUOUS;
}

std::vector<H5Z_filter_t> Hdf5File::State::filters(const std::string& name, hid_t plan) const {
  std::vector<H5Z_filter_t> result(
      static_cast<std::size_t>(check(H5Pget_nfilters(plan), "H5Pget_nfilters", name)));
  for (std::size_t i = 0; i < result.size(); ++i) {
    unsigned flags = 0;
    unsigned configuration = 0;
    std::size_t settings = 0;
    char filter[64] = "";
    result[i] = check(H5Pget_filter2(plan, static_cast<unsigned>(i), &flags, &settings, nullptr,
                                     sizeof filter, filter, &configuration),
                      "H5Pget_filter", name);
    if (H5Zfilter_avail(result[i]) > 0) continue;
    fail(name, fmt::format("it is packed by the filter '{}' (number {}), which this HDF5 library "
                           "lacks; 'h5repack -f GZIP=6' writes a copy that it reads, where the "
                           "filter is there, or set HDF5_PLUGIN_PATH",
                           filter, result[i]));
  }
  return result;
}

void Hdf5File::State::check_present(const std::string& name, const Dataset& dataset,
                                    hid_t plan) const {
  filters(name, plan);
  switch (H5Pget_layout(plan)) {
    case H5D_CHUNKED:
      return check_chunks(name, dataset, plan);
    case H5D_VIRTUAL:
      return check_sources(name, dataset, plan);
    case H5D_CONTIGUOUS:
      if (H5Pget_external_count(plan) > 0) {
        fail(name,
             "its values lie in other files (external storage), which is not read; 'h5repack "
             "-l CONTI' writes a copy in one file");
      }
      if (H5Dget_offset(dataset.handle.id()) == HADDR_UNDEF && dataset.elements() > 0) {
        fail(name, "its values were never written");
      }
      return;
    default:
      return;  // Within the header.
  }
}

void Hdf5File::State::check_chunks(const std::string& name, const Dataset& dataset,
                                   hid_t plan) const {
  std::vector<hsize_t> chunk(dataset.shape.size());
  check(H5Pget_chunk(plan, static_cast<int>(chunk.size()), chunk.data()), "H5Pget_chunk", name);
  hsize_t expected = 1;
  for (std::size_t i = 0; i < chunk.size(); ++i) {
    expected *= (static_cast<hsize_t>(dataset.shape[i]) + chunk[i] - 1) / chunk[i];
  }
  const auto space = own(H5Dget_space(dataset.handle.id()), "H5Dget_space", name, H5Sclose);
  hsize_t found = 0;
  check(H5Dget_num_chunks(dataset.handle.id(), space.id(), &found), "H5Dget_num_chunks", name);
  if (found >= expected) return;
  std::vector<hsize_t> place(chunk.size(), 0);
  const auto is_there = [&] {
    haddr_t address = HADDR_UNDEF;
    hsize_t size = 0;
    check(H5Dget_chunk_info_by_coord(dataset.handle.id(), place.data(), nullptr, &address, &size),
          "H5Dget_chunk_info_by_coord", name);
    return address != HADDR_UNDEF;
  };
  while (is_there()) {  // The last index runs first; one of them is not there.
    for (std::size_t i = place.size(); i-- > 0;) {
      place[i] += chunk[i];
      if (place[i] < static_cast<hsize_t>(dataset.shape[i])) break;
      place[i] = 0;
    }
  }
  fail(name, fmt::format("{} of its {} chunks were never written; the first sample that is missing "
                         "is {}",
                         expected - found, expected, place.front()));
}

void Hdf5File::State::check_sources(const std::string& name, const Dataset& dataset,
                                    hid_t plan) const {
  if (nested >= kMostNested) fail(name, "its sources are virtual data sets without end");
  std::size_t count = 0;
  check(H5Pget_virtual_count(plan, &count), "H5Pget_virtual_count", name);
  double mapped = 0;
  for (std::size_t i = 0; i < count; ++i) {
    const auto target =
        own(H5Pget_virtual_vspace(plan, i), "H5Pget_virtual_vspace", name, H5Sclose);
    const auto source =
        own(H5Pget_virtual_srcspace(plan, i), "H5Pget_virtual_srcspace", name, H5Sclose);
    const std::string file_name = name_by(H5Pget_virtual_filename, plan, i);
    const std::string array = name_by(H5Pget_virtual_dsetname, plan, i);
    const auto rank = static_cast<std::size_t>(
        check(H5Sget_simple_extent_ndims(source.id()), "H5Sget_simple_extent_ndims", name));
    const hssize_t points = H5Sget_select_npoints(target.id());
    std::vector<hsize_t> begin(rank);
    std::vector<hsize_t> last(rank);
    if (points < 0 || H5Sget_select_bounds(source.id(), begin.data(), last.data()) < 0) {
      fail(name,
           "the number of its sources has no limit, so that nobody can tell whether one is "
           "missing");
    }
    mapped += static_cast<double>(points);
    const std::vector<Index> shape = shape_of_source(name, file_name, array);
    const bool holds = shape.size() == rank &&
                       std::equal(last.begin(), last.end(), shape.begin(),
                                  [](hsize_t a, Index b) { return static_cast<Index>(a) < b; });
    if (!holds) {
      fail(name, fmt::format("its source {} in '{}' has shape ({}), too small for what is taken "
                             "from it",
                             array, file_name, fmt::join(shape, ", ")));
    }
  }
  if (mapped < dataset.elements()) {
    fail(name,
         fmt::format("its sources give {:.0f} of its {:.0f} values", mapped, dataset.elements()));
  }
}

std::vector<Index> Hdf5File::State::shape_of_source(const std::string& name,
                                                    const std::string& file_name,
                                                    const std::string& array) const {
  fs::path found = path;
  if (file_name != ".") {
    found.clear();
    std::error_code ignored;
    for (const fs::path& folder : source_folders(path)) {
      if (found.empty() && fs::exists(folder / file_name, ignored)) found = folder / file_name;
    }
    if (found.empty()) {
      fail(name, fmt::format("its source, the file '{}', is not there", file_name));
    }
  }
  std::optional<std::vector<Index>> shape;
  try {
    const Hdf5File source = Hdf5File::open(found);
    source.state_->nested = nested + 1;
    if (source.exists(array)) shape = source.shape(array);
  } catch (const Error& error) {
    fail(name, fmt::format("of its source: {}", error.what()));
  }
  if (!shape) fail(name, fmt::format("its source '{}' has no {}", file_name, array));
  return *shape;
}

}  // namespace sae
