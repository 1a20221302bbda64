#include "sae/storage/hdf5_file.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <hdf5.h>
#include <sys/file.h>
#include <unistd.h>

#include <numeric>
#include <vector>

#include "sae/core/error.hpp"
#include "support/expect_error.hpp"
#include "support/python.hpp"
#include "support/temporary_directory.hpp"

namespace sae {
namespace {

std::vector<float> counting(std::size_t count) {
  std::vector<float> values(count);
  std::iota(values.begin(), values.end(), 0.0f);
  return values;
}

class Hdf5FileTest : public testing::Test {
 protected:
  TemporaryDirectory folder_;
  std::filesystem::path path_ = folder_.path() / "file.h5";
};

TEST_F(Hdf5FileTest, H5pyReadsWhatIsWritten) {
  auto file = Hdf5File::create(path_);
  const std::vector<float> weights = counting(6);
  const std::vector<double> losses{0.5, 0.25};
  const std::vector<std::int64_t> steps{-1, 1LL << 40};
  file.write<float>("/model/hidden1/weights", {2, 3}, weights);
  file.write<double>("/history/loss", {2}, losses);
  file.write<std::int64_t>("/history/step", {2}, steps);
  file.create_dataset("/pixels", ElementType::kUint8,
                      {.shape = {0, 2, 2},
                       .extendable = true,
                       .chunk_rows = 3,
                       .shuffle = true,
                       .deflate_level = 4});
  const std::vector<std::uint8_t> pixels{1, 2, 3, 4, 5, 6, 7, 8};
  file.write_rows<std::uint8_t>("/pixels", 0, pixels);
  file.write_string("/", "config", "units = 2000\nname = Žofia\n");
  file.write_string("/", "empty", "");
  file.write_integer("/", "version", -7);
  file.write_real("/model", "loss", 0.125);
  file.close();
  run_python(folder_.path(), R"(
f = h5py.File("file.h5", "r")
w = f["/model/hidden1/weights"]
assert w.dtype == "<f4" and (w[:] == [[0, 1, 2], [3, 4, 5]]).all() and w.chunks is None
assert f["/history/loss"].dtype == "<f8" and list(f["/history/loss"]) == [0.5, 0.25]
assert f["/history/step"].dtype == "<i8" and list(f["/history/step"]) == [-1, 2**40]
p = f["/pixels"]
assert p.dtype == "u1" and (p[:] == [[[1, 2], [3, 4]], [[5, 6], [7, 8]]]).all()
assert p.chunks == (3, 2, 2) and p.maxshape == (None, 2, 2)
assert p.shuffle and p.compression == "gzip" and p.compression_opts == 4 and p.fletcher32
assert f.attrs["config"] == "units = 2000\nname = Žofia\n" and f.attrs["empty"] == ""
assert f.attrs["version"] == -7 and f["/model"].attrs["loss"] == 0.125
)");
}

TEST_F(Hdf5FileTest, WhatH5pyWritesIsRead) {
  run_python(folder_.path(), R"(
f = h5py.File("file.h5", "w")
f["big_endian"] = np.arange(6, dtype=">f4").reshape(2, 3)
f["double"] = np.array([0.5, 0.25])
f.create_dataset("pixels", data=np.arange(12, dtype="u1").reshape(3, 4), chunks=(2, 3),
                 compression="gzip", shuffle=True, fletcher32=True)
f["labels8"], f["labels32"] = np.array([1, -2], "i1"), np.array([1, -2], ">i4")
f["labels64"] = np.array([1, 2], "u8")
f["flags"], f["names"], f["scalar"] = np.array([True]), ["a"], 1.0
f["half"] = np.array([1], "f2")
f["g/inner"], f["dangling"] = np.zeros(1), h5py.SoftLink("/nowhere")
f["soft"] = h5py.SoftLink("/g")
f.attrs["variable"], f.attrs["empty"] = "Žofia", ""
f.attrs["fixed"] = np.bytes_("fixed")
f.attrs.create("spaces", "ab", dtype=h5py.string_dtype("utf-8", 5))
f.attrs["integer"], f.attrs["real"], f.attrs["one"] = np.int32(-3), np.float32(0.5), np.array([9])
f.attrs["several"] = [1, 2]
)");
  const auto file = Hdf5File::open(path_);
  std::vector<float> reals(3);
  file.read_rows<float>("/big_endian", {1, 2}, reals);
  EXPECT_EQ(reals, (std::vector<float>{3, 4, 5}));
  reals.resize(2);
  file.read_rows<float>("/double", {0, 2}, reals);
  EXPECT_EQ(reals, (std::vector<float>{0.5, 0.25}));
  std::vector<std::uint8_t> pixels(8);
  file.read_rows<std::uint8_t>("/pixels", {1, 3}, pixels);
  EXPECT_EQ(pixels, (std::vector<std::uint8_t>{4, 5, 6, 7, 8, 9, 10, 11}));
  std::vector<std::int64_t> labels(2);
  for (const std::string name : {"/labels8", "/labels32"}) {
    file.read_rows<std::int64_t>(name, {0, 2}, labels);
    EXPECT_EQ(labels, (std::vector<std::int64_t>{1, -2})) << name;
  }
  EXPECT_EQ(file.shape("/pixels"), (std::vector<Index>{3, 4}));
  EXPECT_EQ(file.element_type("/pixels"), ElementType::kUint8);
  EXPECT_EQ(file.element_type("/big_endian"), ElementType::kFloat32);
  EXPECT_EQ(file.element_type("/double"), ElementType::kFloat64);
  EXPECT_EQ(file.element_type("/labels64"), ElementType::kOtherInteger);
  for (const std::string name : {"/flags", "/names", "/half"}) {
    EXPECT_EQ(file.element_type(name), ElementType::kOther) << name;
  }
  expect_error<DataError>([&] { file.shape("/scalar"); }, {path_.string(), "/scalar", "single"});

  EXPECT_TRUE(file.exists("/g/inner") && file.exists("/g") && file.exists("/"));
  EXPECT_TRUE(file.exists("/soft/inner"));
  EXPECT_FALSE(file.exists("/g/other") || file.exists("/h/inner") || file.exists("/dangling"));

  EXPECT_EQ(file.read_string("/", "variable"), "Žofia");
  EXPECT_EQ(file.read_string("/", "empty"), "");
  EXPECT_EQ(file.read_string("/", "fixed"), "fixed");
  EXPECT_EQ(file.read_string("/", "spaces"), "ab");
  EXPECT_EQ(file.read_integer("/", "integer"), -3);
  EXPECT_EQ(file.read_integer("/", "one"), 9);
  EXPECT_EQ(file.read_real("/", "real"), 0.5);
  EXPECT_EQ(file.read_real("/", "integer"), -3.0);
  EXPECT_TRUE(file.has_attribute("/", "fixed"));
  EXPECT_FALSE(file.has_attribute("/", "other") || file.has_attribute("/h", "fixed"));
  expect_error<DataError>([&] { file.read_integer("/", "several"); },
                          {path_.string(), "'several' of /", "not a single value"});
  expect_error<DataError>([&] { file.read_integer("/", "real"); }, {"'real'", "not an integer"});
  expect_error<DataError>([&] { file.read_real("/", "fixed"); }, {"'fixed'", "not a number"});
  expect_error<DataError>([&] { file.read_string("/", "integer"); }, {"'integer'", "not a text"});
  expect_error<DataError>([&] { file.read_string("/", "other"); }, {"'other' of /"});
}

TEST_F(Hdf5FileTest, StringsPaddedWithSpacesEndBeforeThem) {
  const hid_t raw = H5Fcreate(path_.c_str(), H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT);
  const hid_t type = H5Tcopy(H5T_FORTRAN_S1);
  ASSERT_GE(H5Tset_size(type, 6), 0);
  const hid_t space = H5Screate(H5S_SCALAR);
  const hid_t attribute = H5Acreate2(raw, "name", type, space, H5P_DEFAULT, H5P_DEFAULT);
  ASSERT_GE(H5Awrite(attribute, type, "a b   "), 0);
  H5Aclose(attribute);
  H5Sclose(space);
  H5Tclose(type);
  H5Fclose(raw);
  EXPECT_EQ(Hdf5File::open(path_).read_string("/", "name"), "a b");
}

TEST_F(Hdf5FileTest, BlocksOfRowsComeBackInAnyBlocks) {
  const std::vector<float> values = counting(97 * 5);
  auto file = Hdf5File::create(path_);
  file.create_dataset("/rows", ElementType::kFloat32,
                      {.shape = {97, 5}, .chunk_rows = 10, .shuffle = true, .deflate_level = 1});
  for (Index begin = 0; begin < 97; begin += 13) {
    const Index end = std::min<Index>(begin + 13, 97);
    file.write_rows<float>("/rows", begin,
                           {values.data() + begin * 5, static_cast<std::size_t>(end - begin) * 5});
  }
  file.close();
  const auto read = Hdf5File::open(path_);
  for (const Range rows : {Range{0, 97}, {0, 1}, {96, 97}, {7, 33}, {40, 40}, {97, 97}}) {
    std::vector<float> found(static_cast<std::size_t>(rows.size()) * 5);
    read.read_rows<float>("/rows", rows, found);
    EXPECT_EQ(found,
              std::vector<float>(values.begin() + rows.begin * 5, values.begin() + rows.end * 5));
  }
}

TEST_F(Hdf5FileTest, ExtendableDatasetGrows) {
  auto file = Hdf5File::create(path_);
  file.create_dataset("/rows", ElementType::kInt64, {.shape = {0, 2}, .extendable = true});
  const std::vector<std::int64_t> values{1, 2, 3, 4, 5, 6};
  file.write_rows<std::int64_t>("/rows", 0, std::span(values).first(2));
  file.write_rows<std::int64_t>("/rows", 1, std::span(values).last(4));
  EXPECT_EQ(file.shape("/rows"), (std::vector<Index>{3, 2}));
  file.close();
  std::vector<std::int64_t> found(6);
  Hdf5File::open(path_).read_rows<std::int64_t>("/rows", {0, 3}, found);
  EXPECT_EQ(found, values);
}

TEST_F(Hdf5FileTest, AttributeIsReplaced) {
  auto file = Hdf5File::create(path_);
  file.write_string("/", "stage", "hidden1, a long text");
  file.write_string("/", "stage", "b");
  file.write_integer("/", "step", 1);
  file.write_integer("/", "step", 2);
  file.close();
  EXPECT_EQ(Hdf5File::open(path_).read_string("/", "stage"), "b");
  EXPECT_EQ(Hdf5File::open(path_).read_integer("/", "step"), 2);
}

TEST_F(Hdf5FileTest, LongTextsAreKept) {
  const std::string text(1 << 20, 'x');
  auto file = Hdf5File::create(path_);
  file.write_string("/", "config", text);
  file.close();
  EXPECT_EQ(Hdf5File::open(path_).read_string("/", "config"), text);
}

TEST_F(Hdf5FileTest, NoTimesAreStored) {
  auto file = Hdf5File::create(path_);
  file.write<float>("/group/values", {3}, counting(3));
  file.close();
  const hid_t raw = H5Fopen(path_.c_str(), H5F_ACC_RDONLY, H5P_DEFAULT);
  for (const char* name : {"/", "/group", "/group/values"}) {
    H5O_info_t info;
    ASSERT_GE(H5Oget_info_by_name2(raw, name, &info, H5O_INFO_TIME, H5P_DEFAULT), 0);
    EXPECT_EQ(info.mtime, 0) << name;
    EXPECT_EQ(info.ctime, 0) << name;
  }
  H5Fclose(raw);
}

TEST_F(Hdf5FileTest, WrongRequestsNameFileDatasetAndFault) {
  auto writer = Hdf5File::create(path_);
  writer.write<float>("/group/values", {3}, counting(3));
  writer.close();
  const auto file = Hdf5File::open(path_);
  std::vector<float> reals(2);
  std::vector<std::int64_t> integers(2);
  for (const Range rows : {Range{2, 4}, {-1, 1}, {3, 5}}) {
    expect_error<DataError>([&] { file.read_rows<float>("/group/values", rows, reals); },
                            {path_.string(), "/group/values", "3 rows", "asked for"});
  }
  expect_error<DataError>(
      [&] {
        file.read_rows<std::int64_t>("/group/values", {0, 2}, integers);
      },
      {path_.string(), "/group/values", "float32, not int64"});
  expect_error<DataError>([&] { file.shape("/group/other"); }, {path_.string(), "/group/other"});
  expect_error<DataError>([&] { file.shape("/group"); }, {path_.string(), "/group"});
}

TEST_F(Hdf5FileTest, FileThatIsNotHdf5IsNamed) {
  for (const std::string content : {"a text, long enough to be a header of something", ""}) {
    std::ofstream(path_) << content;
    expect_error<DataError>([&] { Hdf5File::open(path_); },
                            {path_.string(), "is not an HDF5 file"});
  }
  expect_error<MissingInputError>([&] { Hdf5File::open(folder_.path()); }, {"it is a folder"});
  expect_error<MissingInputError>([&] { Hdf5File::open(folder_.path() / "absent"); }, {"absent"});
}

TEST_F(Hdf5FileTest, CutFileIsRefusedWhereverItIsCut) {
  auto file = Hdf5File::create(path_);
  file.write<float>("/group/values", {300}, counting(300));
  file.close();
  const auto size = std::filesystem::file_size(path_);
  for (auto length = size - 1; length > 0; length -= std::min<std::uintmax_t>(length, 61)) {
    std::filesystem::resize_file(path_, length);
    expect_error<DataError>([&] { Hdf5File::open(path_); }, {path_.string()});
  }
}

TEST_F(Hdf5FileTest, ChangedByteIsFoundByTheCheckSum) {
  auto file = Hdf5File::create(path_);
  file.create_dataset("/values", ElementType::kFloat32, {.shape = {300}});
  file.write_rows<float>("/values", 0, std::vector<float>(300, 1.5f));
  file.close();
  std::string bytes(std::filesystem::file_size(path_), '\0');
  std::ifstream(path_, std::ios::binary)
      .read(bytes.data(), static_cast<std::streamsize>(bytes.size()));
  const std::string run(reinterpret_cast<const char*>(std::vector<float>(9, 1.5f).data()), 36);
  const auto place = bytes.find(run);
  ASSERT_NE(place, std::string::npos);
  bytes[place + 17] = '\x41';
  std::ofstream(path_, std::ios::binary) << bytes;
  std::vector<float> values(300);
  expect_error<DataError>(
      [&] {
        Hdf5File::open(path_).read_rows<float>("/values", {0, 300}, values);
      },
      {path_.string(), "/values", "checksum"});
}

TEST_F(Hdf5FileTest, CheckSumsProtectAllChunksThatAreWritten) {
  const std::vector<std::uint8_t> bytes(100);
  auto file = Hdf5File::create(path_);
  file.create_dataset("/one_chunk", ElementType::kUint8, {.shape = {100}});
  file.write_rows<std::uint8_t>("/one_chunk", 0, bytes);
  file.create_dataset("/many_chunks", ElementType::kUint8,
                      {.shape = {100}, .chunk_rows = 3, .deflate_level = 4});
  file.write_rows<std::uint8_t>("/many_chunks", 0, bytes);
  file.create_dataset("/group/grown", ElementType::kUint8,
                      {.shape = {0}, .extendable = true, .chunk_rows = 3});
  file.write_rows<std::uint8_t>("/group/grown", 0, bytes);
  file.close();
  const auto written = Hdf5File::open(path_);
  for (const char* name : {"/one_chunk", "/many_chunks", "/group/grown"}) {
    EXPECT_TRUE(written.has_check_sums(name)) << name;
  }
}

TEST_F(Hdf5FileTest, CheckSumsOfRowsAloneOrOfTablesAloneAreNotEnough) {
  run_python(folder_.path(), R"(
protected = {"chunks": (4,), "fletcher32": True}
with h5py.File("new.h5", "w", libver="latest") as f:
    f["contiguous"] = np.arange(9)
    f.create_dataset("packed", data=np.arange(9), chunks=(4,), compression=4, shuffle=True)
    f.create_dataset("protected", data=np.arange(9), **protected)
    f.create_dataset("packed_and_protected", data=np.arange(9), compression=4, **protected)
    plan = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
    plan.set_chunk((4,))
    plan.set_fletcher32()
    plan.set_deflate(4)
    space = h5py.h5s.create_simple((9,))
    h5py.h5d.create(f.id, b"protected_and_packed", h5py.h5t.STD_I64LE, space, plan)
    f["protected_and_packed"][:] = np.arange(9)
with h5py.File("old.h5", "w", libver="earliest") as f:
    f["contiguous"] = np.arange(9)
    f.create_dataset("protected", data=np.arange(9), **protected)
)");
  const auto recent = Hdf5File::open(folder_.path() / "new.h5");
  EXPECT_FALSE(recent.has_check_sums("/contiguous"));
  EXPECT_FALSE(recent.has_check_sums("/packed"));
  EXPECT_TRUE(recent.has_check_sums("/protected"));
  EXPECT_TRUE(recent.has_check_sums("/packed_and_protected"));
  EXPECT_FALSE(recent.has_check_sums("/protected_and_packed")) << "unpacked before it is checked";
  const auto old = Hdf5File::open(folder_.path() / "old.h5");
  EXPECT_FALSE(old.has_check_sums("/contiguous"));
  EXPECT_FALSE(old.has_check_sums("/protected"));
}

/// Makes a data set of bytes with no data in it.
void write_claim(const std::filesystem::path& path, std::vector<hsize_t> shape,
                 std::vector<hsize_t> chunk) {
  const int rank = static_cast<int>(shape.size());
  const hid_t file = H5Fcreate(path.c_str(), H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT);
  const std::vector<hsize_t> limits(shape.size(), H5S_UNLIMITED);
  const hid_t space = H5Screate_simple(rank, shape.data(), limits.data());
  const hid_t plan = H5Pcreate(H5P_DATASET_CREATE);
  H5Pset_chunk(plan, rank, chunk.data());
  const hid_t dataset =
      H5Dcreate2(file, "/claim", H5T_STD_U8LE, space, H5P_DEFAULT, plan, H5P_DEFAULT);
  EXPECT_GE(dataset, 0);
  H5Dclose(dataset);
  H5Pclose(plan);
  H5Sclose(space);
  H5Fclose(file);
}

TEST_F(Hdf5FileTest, ShapeThatTheFileCannotHoldIsRefused) {
  const auto expect_refusal = [&](const std::vector<hsize_t>& shape) {
    write_claim(path_, shape, std::vector<hsize_t>(shape.size(), 16));
    expect_error<DataError>([&] { Hdf5File::open(path_).shape("/claim"); },
                            {path_.string(), "/claim", "more than a file of"});
  };
  expect_refusal({hsize_t{1} << 40, 784});
  expect_refusal({0, hsize_t{1} << 40});
  expect_refusal({hsize_t{1} << 62, hsize_t{1} << 62, hsize_t{1} << 62});
}

TEST_F(Hdf5FileTest, ChunksBeyondTheLimitAreRefused) {
  write_claim(path_, {10, 10}, {hsize_t{1} << 20, 2000});
  expect_error<DataError>([&] { Hdf5File::open(path_).shape("/claim"); },
                          {path_.string(), "/claim", "chunks of 2097152000 bytes"});
}

TEST_F(Hdf5FileTest, LockOfAnotherProgramDoesNotMatter) {
  Hdf5File::create(path_).close();
  const int descriptor = ::open(path_.c_str(), O_RDONLY);
  ASSERT_EQ(flock(descriptor, LOCK_EX), 0);
  EXPECT_NO_THROW(Hdf5File::open(path_));
  ::close(descriptor);
}

TEST_F(Hdf5FileTest, FileThatCannotBeMadeIsAnOutputError) {
  const auto path = folder_.path() / "absent" / "file.h5";
  expect_error<OutputError>([&] { Hdf5File::create(path); },
                            {path.string(), "No such file or directory"});
}

}  // namespace
}  // namespace sae
