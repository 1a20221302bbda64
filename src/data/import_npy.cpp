#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <fstream>
#include <memory>
#include <string_view>

#include "npy.hpp"
#include "sae/core/error.hpp"
#include "sae/data/import.hpp"
#include "source_array.hpp"

namespace sae {
namespace {

/// A .npy file, or an array of a .npz archive.
struct NpyPlace {
  std::filesystem::path path;
  std::optional<ZipMember> member;

  std::string location() const {
    return member ? fmt::format("{} in '{}'", array_name(), path.string())
                  : fmt::format("'{}'", path.string());
  }
  std::string array_name() const {
    const std::string& name = member->name;
    return name.ends_with(".npy") ? name.substr(0, name.size() - 4) : name;
  }
};

class NpyArray : public SourceArray {
 public:
  NpyArray(const NpyPlace& place, NpyReader reader)
      : SourceArray(place.location(), reader.shape(), reader.type()),
        place_(place),
        reader_(std::move(reader)) {}

  void rewind() override { reader_ = NpyReader(place_.path, place_.member); }
  void read(ElementType as, std::span<std::byte> out) override { reader_.read(as, out); }
  void finish() override { reader_.finish(); }

 private:
  NpyPlace place_;
  NpyReader reader_;
};

/// A matrix that is stored column by column, as that of a pandas data frame is: read by strips of
/// many samples, so that memory stays bounded.
class FortranNpyArray : public SourceArray {
 public:
  FortranNpyArray(const NpyPlace& place, const NpyReader& reader)
      : SourceArray(place.location(), reader.shape(), reader.type()),
        path_(place.path),
        element_(reader.element()),
        begin_(*reader.place_in_file()),
        file_(path_, std::ios::binary) {}

  void rewind() override {
    next_ = 0;
    held_ = {0, 0};
  }

  void read(ElementType as, std::span<std::byte> out) override {
    const auto features = static_cast<std::size_t>(shape()[1]);
    const std::size_t bytes = as == ElementType::kUint8     ? 1
                              : as == ElementType::kFloat32 ? sizeof(float)
                                                            : sizeof(double);
    sample_.resize(features * element_.bytes);
    for (std::size_t at = 0; at < out.size(); at += features * bytes, ++next_) {
      if (!held_.contains(next_)) hold(features);
      const auto column = static_cast<std::size_t>(next_ - held_.begin);
      const auto columns = static_cast<std::size_t>(held_.size());
      for (std::size_t i = 0; i < features; ++i) {
        std::copy_n(strip_.data() + (i * columns + column) * element_.bytes, element_.bytes,
                    sample_.data() + i * element_.bytes);
      }
      decode_npy(element_, sample_, as, out.subspan(at, features * bytes));
    }
  }

 private:
  static constexpr std::size_t kStripBytes = std::size_t{16} << 20;

  void hold(std::size_t features) {
    const auto samples = std::max<std::size_t>(kStripBytes / (features * element_.bytes), 1);
    held_ = {next_, std::min(next_ + static_cast<Index>(samples), shape().front())};
    const std::size_t bytes = static_cast<std::size_t>(held_.size()) * element_.bytes;
    strip_.resize(features * bytes);
    for (std::size_t i = 0; i < features; ++i) {
      const std::uint64_t element =
          i * static_cast<std::uint64_t>(shape().front()) + static_cast<std::uint64_t>(next_);
      file_.clear();
      file_.seekg(static_cast<std::streamoff>(begin_ + element * element_.bytes));
      file_.read(strip_.data() + i * bytes, static_cast<std::streamsize>(bytes));
      if (static_cast<std::size_t>(file_.gcount()) != bytes) {
        fail_import(location(), "the file ends too early");
      }
    }
  }

  std::filesystem::path path_;
  NpyElement element_;
  std::uint64_t begin_;
  std::ifstream file_;
  Index next_ = 0;
  Range held_;
  std::vector<char> strip_;
  std::vector<char> sample_;
};

std::shared_ptr<SourceArray> array_at(const std::optional<NpyPlace>& place) {
  if (!place) return nullptr;
  NpyReader reader(place->path, place->member);
  if (!reader.fortran_order() || reader.shape().size() < 2) {
    return std::make_shared<NpyArray>(*place, std::move(reader));
  }
  if (reader.shape().size() > 2 || !reader.place_in_file()) {
    fail_import(place->location(),
                fmt::format("it is stored in Fortran order, which is read {}; write it again by "
                            "'np.save(file, np.ascontiguousarray(x))'",
                            reader.place_in_file() ? "of matrices only" : "unpacked only"));
  }
  return std::make_shared<FortranNpyArray>(*place, reader);
}

/// "data.npz:name" taken apart.
struct NpyName {
  std::filesystem::path path;
  std::string array;  ///< Empty: none is named.
};

NpyName parse_npy_name(const std::string& text) {
  constexpr std::string_view kColon = ".npz:";
  const auto at = text.rfind(kColon);
  if (at == std::string::npos) return {.path = text, .array = ""};
  return {.path = text.substr(0, at + kColon.size() - 1), .array = text.substr(at + kColon.size())};
}

const ZipMember* find_array(const std::vector<ZipMember>& members, std::string_view name) {
  const auto is_it = [name](const ZipMember& member) {
    return member.name == name || member.name == fmt::format("{}.npy", name);
  };
  const auto found = std::ranges::find_if(members, is_it);
  return found == members.end() ? nullptr : &*found;
}

[[noreturn]] void fail_without_array(const std::filesystem::path& path,
                                     const std::vector<ZipMember>& members,
                                     const std::string& wanted) {
  std::vector<std::string> names;
  names.reserve(members.size());
  for (const ZipMember& member : members) {
    names.push_back(NpyPlace{path, member}.array_name());
  }
  fail_import(
      fmt::format("'{}'", path.string()),
      fmt::format("it holds no array {}, but {}", wanted,
                  names.empty() ? "none at all" : fmt::format("{}", fmt::join(names, ", "))));
}

/// The array that is named; of an archive alone one of the usual names.
std::optional<NpyPlace> place_of(const std::string& text,
                                 std::initializer_list<std::string_view> usual) {
  if (text.empty()) return {};
  const NpyName name = parse_npy_name(text);
  const std::filesystem::path& path = name.path;
  if (!is_zip(path)) {
    if (name.array.empty()) return NpyPlace{.path = path, .member = {}};
    ByteSource(path).fail(0, "this is no .npz file");
  }
  const std::vector<ZipMember> members = read_zip_directory(path);
  if (!name.array.empty()) {
    const ZipMember* found = find_array(members, name.array);
    if (found == nullptr) fail_without_array(path, members, fmt::format("'{}'", name.array));
    return NpyPlace{.path = path, .member = *found};
  }
  for (const std::string_view candidate : usual) {
    if (const ZipMember* found = find_array(members, candidate)) {
      return NpyPlace{.path = path, .member = *found};
    }
  }
  fail_without_array(path, members,
                     fmt::format("named {} (say which as FILE.npz:NAME)", fmt::join(usual, ", ")));
}

/// As place_of, for an array that the archive of the images may lack; none if `images` is no whole
/// archive.
std::optional<NpyPlace> place_beside(const std::string& images,
                                     std::initializer_list<std::string_view> usual) {
  const NpyName name = parse_npy_name(images);
  if (images.empty() || !name.array.empty() || !is_zip(name.path)) return {};
  const std::vector<ZipMember> members = read_zip_directory(name.path);
  for (const std::string_view candidate : usual) {
    if (const ZipMember* found = find_array(members, candidate)) {
      return NpyPlace{.path = name.path, .member = *found};
    }
  }
  return {};
}

}  // namespace

std::filesystem::path npy_file_of(const std::string& array) { return parse_npy_name(array).path; }

DatasetInfo import_npy(const NpyArrays& arrays, const ImportOptions& options) {
  check_named(!arrays.train_images.empty(), true, false);
  const auto images = place_of(arrays.train_images, {"x_train", "X_train", "x", "X", "data"});
  auto labels = place_of(arrays.train_labels, {"y_train", "y", "labels", "target"});
  if (!labels) {
    labels = place_beside(arrays.train_images, {"y_train", "y", "labels", "target"});
  }
  auto test_images = place_of(arrays.test_images, {"x_test", "X_test", "x", "X", "data"});
  if (!test_images) test_images = place_beside(arrays.train_images, {"x_test", "X_test"});
  auto test_labels = place_of(arrays.test_labels, {"y_test", "y", "labels", "target"});
  if (!test_labels && test_images) {
    test_labels = arrays.test_images.empty()
                      ? place_beside(arrays.train_images, {"y_test"})
                      : place_beside(arrays.test_images, {"y_test", "y", "labels", "target"});
  }
  check_named(true, test_images.has_value(), test_labels.has_value());
  if (test_images && options.test_share > 0) {
    fail_import(test_images->location(),
                "it is a test split, with which --test-share does not go; name the training arrays "
                "as FILE.npz:NAME to leave it out");
  }
  return import_arrays({array_at(images), array_at(labels)},
                       {array_at(test_images), array_at(test_labels)}, options);
}

}  // namespace sae
