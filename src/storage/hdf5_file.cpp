#include "sae/storage/hdf5_file.hpp"

#include <algorithm>
#include <array>
#include <atomic>
#include <cassert>
#include <utility>

#include "hdf5_state.hpp"
#include "sae/storage/input_file.hpp"

namespace sae {
namespace {

constexpr hsize_t kChunkBytes = 256 * 1024;
bool can_be_read_as(ElementType stored, ElementType as) {
  if (as == ElementType::kInt64) return is_integer(stored);
  if (is_real(as)) return is_real(stored);
  return stored == as;
}

std::vector<hsize_t> sizes_of(const std::vector<Index>& shape) {
  return {shape.begin(), shape.end()};
}

}  // namespace

Hdf5File::Hdf5File(std::unique_ptr<State> state) : state_(std::move(state)) {}
Hdf5File::Hdf5File(Hdf5File&&) noexcept = default;
Hdf5File& Hdf5File::operator=(Hdf5File&&) noexcept = default;
Hdf5File::~Hdf5File() = default;

Hdf5File Hdf5File::open(const std::filesystem::path& path, std::string_view hint) {
  prepare_hdf5();
  auto state = std::make_unique<State>();
  state->path = path;
  state->file_size = size_of_readable_file(path);
  if (H5Fis_hdf5(path.c_str()) == 0) {
    throw DataError(
        fmt::format("Cannot read '{}': it is not an HDF5 file.{}", path.string(), hint));
  }
  const auto access = state->own(H5Pcreate(H5P_FILE_ACCESS), "H5Pcreate", "/", H5Pclose);
  state->check(H5Pset_file_locking(access.id(), false, true), "H5Pset_file_locking", "/");
  state->file =
      state->own(H5Fopen(path.c_str(), H5F_ACC_RDONLY, access.id()), "H5Fopen", "/", H5Fclose);
  return Hdf5File(std::move(state));
}

Hdf5File Hdf5File::create(const std::filesystem::path& path) { return create(path, 0, nullptr); }

Hdf5File Hdf5File::create_image(FileImage& image, const std::filesystem::path& path,
                                Index user_block) {
  return create(path, user_block, &image);
}

Hdf5File Hdf5File::create(const std::filesystem::path& path, Index user_block, FileImage* image) {
  prepare_hdf5();
  auto state = std::make_unique<State>();
  state->path = path;
  state->writable = true;
  const auto access = state->own(H5Pcreate(H5P_FILE_ACCESS), "H5Pcreate", "/", H5Pclose);
  state->check(H5Pset_file_locking(access.id(), false, true), "H5Pset_file_locking", "/");
  if (image != nullptr) state->keep_in(*image, access.id());
  const auto creation = state->own(H5Pcreate(H5P_FILE_CREATE), "H5Pcreate", "/", H5Pclose);
  state->check(H5Pset_userblock(creation.id(), static_cast<hsize_t>(user_block)),
               "H5Pset_userblock", "/");
  // Since 1.10 the tables of a file carry check sums; the program that reads it must be as new.
  state->check(H5Pset_libver_bounds(access.id(), H5F_LIBVER_V110, H5F_LIBVER_LATEST),
               "H5Pset_libver_bounds", "/");
  state->check(H5Pset_obj_track_times(creation.id(), false), "H5Pset_obj_track_times", "/");
  // Of a file in memory HDF5 would first read what stands under its name: here nothing can. No two
  // names are equal, since a file that failed stays open.
  static std::atomic<int> images = 0;
  const std::string name =
      image != nullptr ? fmt::format("/dev/null/image{}", ++images) : path.string();
  state->file = state->own(H5Fcreate(name.c_str(), H5F_ACC_TRUNC, creation.id(), access.id()),
                           "H5Fcreate", "/", H5Fclose);
  return Hdf5File(std::move(state));
}

const std::filesystem::path& Hdf5File::path() const { return state_->path; }

bool Hdf5File::exists(const std::string& name) const {
  const hid_t file = state_->file.id();
  // HDF5 can ask for a link only where the folder of the link is there.
  for (std::size_t end = name.find('/', 1);; end = name.find('/', end + 1)) {
    const std::string part = name.substr(0, end);
    if (part != "/") {
      if (state_->check(H5Lexists(file, part.c_str(), H5P_DEFAULT), "H5Lexists", part) == 0 ||
          state_->check(H5Oexists_by_name(file, part.c_str(), H5P_DEFAULT), "H5Oexists_by_name",
                        part) == 0) {
        return false;
      }
    }
    if (end == std::string::npos) return true;
  }
}

bool Hdf5File::is_group(const std::string& name) const {
  const auto object =
      state_->own(H5Oopen(state_->file.id(), name.c_str(), H5P_DEFAULT), "H5Oopen", name, H5Oclose);
  return H5Iget_type(object.id()) == H5I_GROUP;
}

std::vector<Index> Hdf5File::shape(const std::string& name) const {
  return state_->dataset(name).shape;
}

ElementType Hdf5File::element_type(const std::string& name) const {
  return state_->dataset(name).type;
}

void Hdf5File::read_bytes(const std::string& name, Range rows, ElementType as,
                          std::span<std::byte> out) const {
  const State::Dataset& dataset = state_->dataset(name);
  const ElementTraits wanted = traits_of(as);
  if (!can_be_read_as(dataset.type, as)) {
    state_->fail(name,
                 fmt::format("its elements are {}, not {}", name_of(dataset.type), wanted.name));
  }
  if (rows.begin < 0 || rows.end < rows.begin || rows.end > dataset.shape.front()) {
    state_->fail(name, fmt::format("it has {} rows, and rows [{}, {}) were asked for",
                                   dataset.shape.front(), rows.begin, rows.end));
  }
  assert(out.size() ==
         static_cast<std::size_t>(rows.size() * dataset.row_elements()) * wanted.size);
  if (out.empty()) return;

  const State::Selection selection = state_->select(name, dataset, rows);
  state_->check(H5Dread(dataset.handle.id(), wanted.in_memory, selection.in_memory.id(),
                        selection.in_file.id(), H5P_DEFAULT, out.data()),
                "H5Dread", name);
}

void Hdf5File::read_columns(const std::string& name, Range columns, ElementType as,
                            std::span<std::byte> out) const {
  const State::Dataset& dataset = state_->dataset(name);
  const ElementTraits wanted = traits_of(as);
  assert(can_be_read_as(dataset.type, as));
  assert(0 <= columns.begin && columns.begin < columns.end && columns.end <= dataset.shape.back());
  const State::Selection selection =
      state_->select(name, dataset, columns, dataset.shape.size() - 1);
  state_->check(H5Dread(dataset.handle.id(), wanted.in_memory, selection.in_memory.id(),
                        selection.in_file.id(), H5P_DEFAULT, out.data()),
                "H5Dread", name);
}

void Hdf5File::State::plan_chunks(const std::string& name, const DatasetLayout& layout,
                                  std::size_t row_bytes, hid_t plan) const {
  std::vector<hsize_t> chunk = sizes_of(layout.shape);
  for (hsize_t& size : chunk) size = std::max<hsize_t>(size, 1);
  const hsize_t rows = std::max<hsize_t>(kChunkBytes / std::max<std::size_t>(row_bytes, 1), 1);
  if (layout.chunk_rows > 0) {
    chunk.front() = static_cast<hsize_t>(layout.chunk_rows);
  } else {
    chunk.front() = layout.extendable ? rows : std::min(rows, chunk.front());
  }
  check(H5Pset_chunk(plan, static_cast<int>(chunk.size()), chunk.data()), "H5Pset_chunk", name);
  if (layout.shuffle) check(H5Pset_shuffle(plan), "H5Pset_shuffle", name);
  if (layout.deflate_level > 0) {
    check(H5Pset_deflate(plan, static_cast<unsigned>(layout.deflate_level)), "H5Pset_deflate",
          name);
  }
  check(H5Pset_fletcher32(plan), "H5Pset_fletcher32", name);
}

void Hdf5File::create_dataset(const std::string& name, ElementType type,
                              const DatasetLayout& layout) {
  assert(!layout.shape.empty());
  State::Dataset dataset{.handle = {}, .shape = layout.shape, .type = type};
  const ElementTraits element = traits_of(type);
  const std::vector<hsize_t> sizes = sizes_of(layout.shape);
  const int rank = static_cast<int>(sizes.size());

  std::vector<hsize_t> limits = sizes;
  if (layout.extendable) limits.front() = H5S_UNLIMITED;
  const auto space = state_->own(H5Screate_simple(rank, sizes.data(), limits.data()),
                                 "H5Screate_simple", name, H5Sclose);

  const auto plan = state_->own(H5Pcreate(H5P_DATASET_CREATE), "H5Pcreate", name, H5Pclose);
  state_->check(H5Pset_obj_track_times(plan.id(), false), "H5Pset_obj_track_times", name);
  if (!layout.contiguous) {
    state_->plan_chunks(name, layout,
                        static_cast<std::size_t>(dataset.row_elements()) * element.size, plan.id());
  }

  state_->create_groups(name);
  dataset.handle = state_->own(H5Dcreate2(state_->file.id(), name.c_str(), element.in_file,
                                          space.id(), H5P_DEFAULT, plan.id(), H5P_DEFAULT),
                               "H5Dcreate", name, H5Dclose);
  state_->datasets.insert_or_assign(name, std::move(dataset));
}

void Hdf5File::write_bytes(const std::string& name, Index begin, ElementType as,
                           std::span<const std::byte> values) {
  State::Dataset& dataset = state_->dataset(name);
  const ElementTraits given = traits_of(as);
  const std::size_t row_bytes = static_cast<std::size_t>(dataset.row_elements()) * given.size;
  if (values.empty()) return;
  assert(row_bytes > 0 && values.size() % row_bytes == 0);

  const Index end = begin + static_cast<Index>(values.size() / row_bytes);
  if (end > dataset.shape.front()) {
    dataset.shape.front() = end;
    state_->check(H5Dset_extent(dataset.handle.id(), sizes_of(dataset.shape).data()),
                  "H5Dset_extent", name);
  }
  const State::Selection selection = state_->select(name, dataset, {begin, end});
  state_->check(H5Dwrite(dataset.handle.id(), given.in_memory, selection.in_memory.id(),
                         selection.in_file.id(), H5P_DEFAULT, values.data()),
                "H5Dwrite", name);
}

void Hdf5File::close() {
  for (auto& [name, dataset] : state_->datasets) {
    state_->check(dataset.handle.close(), "H5Dclose", name);
  }
  state_->datasets.clear();
  state_->check(state_->file.close(), "H5Fclose", "/");
}

}  // namespace sae
