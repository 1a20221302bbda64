#include "hdf5_state.hpp"

#include <algorithm>
#include <functional>
#include <numeric>
#include <utility>

namespace sae {
namespace {

constexpr hsize_t kMaxChunkBytes = hsize_t{1} << 30;
constexpr hsize_t kMinChunkCacheBytes = hsize_t{1} << 20;
constexpr std::size_t kChunkCacheSlots = 10007;  // A prime far above the number of cached chunks.
constexpr hsize_t kMaxDeflateRatio = 1032;       // Of the deflate format itself.

ElementType element_type_of(hid_t type) {
  const std::size_t size = H5Tget_size(type);
  switch (H5Tget_class(type)) {
    case H5T_INTEGER: {
      const bool is_signed = H5Tget_sign(type) != H5T_SGN_NONE;
      if (size == 1 && !is_signed) return ElementType::kUint8;
      if (size == 2 && !is_signed) return ElementType::kUint16;
      if (size == 8 && is_signed) return ElementType::kInt64;
      return ElementType::kOtherInteger;
    }
    case H5T_FLOAT:
      if (size == 4) return ElementType::kFloat32;
      if (size == 8) return ElementType::kFloat64;
      return ElementType::kOther;
    default:
      return ElementType::kOther;
  }
}

/// Rows of all chunks that a row touches, in bytes.
hsize_t chunk_band_bytes(const std::vector<hsize_t>& chunk, const std::vector<Index>& shape,
                         std::size_t element_size) {
  double bytes = static_cast<double>(chunk.front()) * static_cast<double>(element_size);
  for (std::size_t i = 1; i < shape.size(); ++i) {
    const hsize_t covered = (static_cast<hsize_t>(shape[i]) + chunk[i] - 1) / chunk[i] * chunk[i];
    bytes *= static_cast<double>(covered);
  }
  return static_cast<hsize_t>(std::clamp(bytes, static_cast<double>(kMinChunkCacheBytes),
                                         static_cast<double>(kMaxChunkBytes)));
}

}  // namespace

ElementTraits traits_of(ElementType type) {
  switch (type) {
    case ElementType::kUint8:
      return {"uint8", H5T_NATIVE_UINT8, H5T_STD_U8LE, 1};
    case ElementType::kUint16:
      return {"uint16", H5T_NATIVE_UINT16, H5T_STD_U16LE, 2};
    case ElementType::kInt64:
      return {"int64", H5T_NATIVE_INT64, H5T_STD_I64LE, 8};
    case ElementType::kOtherInteger:
      return {"another integer type", H5I_INVALID_HID, H5I_INVALID_HID, 0};
    case ElementType::kFloat32:
      return {"float32", H5T_NATIVE_FLOAT, H5T_IEEE_F32LE, 4};
    case ElementType::kFloat64:
      return {"float64", H5T_NATIVE_DOUBLE, H5T_IEEE_F64LE, 8};
    case ElementType::kOther:
      break;
  }
  return {"of another kind", H5I_INVALID_HID, H5I_INVALID_HID, 0};
}

bool is_integer(ElementType type) {
  return type == ElementType::kUint8 || type == ElementType::kUint16 ||
         type == ElementType::kInt64 || type == ElementType::kOtherInteger;
}

bool is_real(ElementType type) {
  return type == ElementType::kFloat32 || type == ElementType::kFloat64;
}

std::string_view name_of(ElementType type) { return traits_of(type).name; }

std::string hdf5_version() {
  unsigned major = 0;
  unsigned minor = 0;
  unsigned release = 0;
  H5get_libversion(&major, &minor, &release);
  return fmt::format("{}.{}.{}", major, minor, release);
}

double Hdf5File::State::Dataset::elements() const {
  return std::accumulate(shape.begin(), shape.end(), 1.0, std::multiplies<>());
}

Index Hdf5File::State::Dataset::row_elements() const {
  Index elements = 1;
  for (std::size_t i = 1; i < shape.size(); ++i) elements *= shape[i];
  return elements;
}

Hdf5File::State::~State() {
  if (!writable || !failed) return;
  // HDF5 1.10 may crash when it closes a file after a failed write. The process is about to end.
  for (auto& [name, dataset] : datasets) dataset.handle.abandon();
  file.abandon();
}

void Hdf5File::State::fail(const std::string& object, const std::string& fault) const {
  failed = true;
  const std::string sentence =
      fmt::format("Cannot {} {}'{}': {}.", writable ? "write" : "read",
                  object == "/" ? "" : object + " in ", path.string(), fault);
  if (writable) throw OutputError(sentence);
  throw DataError(sentence);
}

void Hdf5File::State::check_claim(const std::string& object, const std::vector<hsize_t>& shape,
                                  std::size_t element_size) const {
  double bytes = static_cast<double>(element_size);
  for (const hsize_t size : shape) bytes *= static_cast<double>(std::max<hsize_t>(size, 1));
  if (!writable && bytes > static_cast<double>(file_size) * static_cast<double>(kMaxDeflateRatio)) {
    fail(object, fmt::format("it claims a shape of ({}), more than a file of {} bytes can hold",
                             fmt::join(shape, ", "), file_size));
  }
}

void Hdf5File::State::create_groups(const std::string& name) const {
  const auto plan = own(H5Pcreate(H5P_GROUP_CREATE), "H5Pcreate", name, H5Pclose);
  check(H5Pset_obj_track_times(plan.id(), false), "H5Pset_obj_track_times", name);
  for (auto end = name.find('/', 1); end != std::string::npos; end = name.find('/', end + 1)) {
    const std::string group = name.substr(0, end);
    if (check(H5Lexists(file.id(), group.c_str(), H5P_DEFAULT), "H5Lexists", group) > 0) continue;
    own(H5Gcreate2(file.id(), group.c_str(), H5P_DEFAULT, plan.id(), H5P_DEFAULT), "H5Gcreate",
        group, H5Gclose);
  }
}

Hdf5File::State::Selection Hdf5File::State::select(const std::string& name, const Dataset& dataset,
                                                   Range range, std::size_t dimension) const {
  std::vector<hsize_t> count(dataset.shape.begin(), dataset.shape.end());
  std::vector<hsize_t> start(count.size(), 0);
  count[dimension] = static_cast<hsize_t>(range.size());
  start[dimension] = static_cast<hsize_t>(range.begin);
  Selection result;
  result.in_file = own(H5Dget_space(dataset.handle.id()), "H5Dget_space", name, H5Sclose);
  check(H5Sselect_hyperslab(result.in_file.id(), H5S_SELECT_SET, start.data(), nullptr,
                            count.data(), nullptr),
        "H5Sselect_hyperslab", name);
  result.in_memory = own(H5Screate_simple(static_cast<int>(count.size()), count.data(), nullptr),
                         "H5Screate_simple", name, H5Sclose);
  return result;
}

Hdf5File::State::Dataset& Hdf5File::State::dataset(const std::string& name) {
  if (const auto found = datasets.find(name); found != datasets.end()) return found->second;
  Dataset result;
  result.handle = own(H5Dopen2(file.id(), name.c_str(), H5P_DEFAULT), "H5Dopen", name, H5Dclose);

  const auto type = own(H5Dget_type(result.handle.id()), "H5Dget_type", name, H5Tclose);
  result.type = element_type_of(type.id());
  const auto space = own(H5Dget_space(result.handle.id()), "H5Dget_space", name, H5Sclose);
  const int rank =
      check(H5Sget_simple_extent_ndims(space.id()), "H5Sget_simple_extent_ndims", name);
  if (rank == 0) fail(name, "it is a single value, not an array");
  std::vector<hsize_t> sizes(static_cast<std::size_t>(rank));
  check(H5Sget_simple_extent_dims(space.id(), sizes.data(), nullptr), "H5Sget_simple_extent_dims",
        name);
  const std::size_t element_size = H5Tget_size(type.id());
  const auto plan =
      own(H5Dget_create_plist(result.handle.id()), "H5Dget_create_plist", name, H5Pclose);
  // Of a virtual data set it is the sources that hold the values.
  if (H5Pget_layout(plan.id()) != H5D_VIRTUAL) check_claim(name, sizes, element_size);
  result.shape.assign(sizes.begin(), sizes.end());
  if (H5Pget_layout(plan.id()) == H5D_CHUNKED) {
    std::vector<hsize_t> chunk(sizes.size());
    check(H5Pget_chunk(plan.id(), rank, chunk.data()), "H5Pget_chunk", name);
    double chunk_bytes = static_cast<double>(element_size);
    for (const hsize_t size : chunk) chunk_bytes *= static_cast<double>(size);
    if (chunk_bytes > static_cast<double>(kMaxChunkBytes)) {
      fail(name, fmt::format("it has chunks of {:.0f} bytes, more than the limit of {}",
                             chunk_bytes, kMaxChunkBytes));
    }
    const auto access = own(H5Pcreate(H5P_DATASET_ACCESS), "H5Pcreate", name, H5Pclose);
    check(H5Pset_chunk_cache(access.id(), kChunkCacheSlots,
                             chunk_band_bytes(chunk, result.shape, element_size), 1.0),
          "H5Pset_chunk_cache", name);
    result.handle.close();
    result.handle = own(H5Dopen2(file.id(), name.c_str(), access.id()), "H5Dopen", name, H5Dclose);
  }
  if (!writable) check_present(name, result, plan.id());
  return datasets.emplace(name, std::move(result)).first->second;
}

}  // namespace sae
