// Reads the input as a checkpoint.
//
// The digest ends the reading of nearly every damaged file before libhdf5 sees it. To seal mutated
// bytes anew would test libhdf5 against forgers, which we do not answer for. What we answer for are
// sound HDF5 files with a digest that are no checkpoints of ours; so an input that does not begin
// like a sealed file is taken for a list of changes to a good checkpoint, which is then sealed.

#include <FuzzedDataProvider.h>

#include <limits>
#include <numeric>
#include <string>
#include <utility>
#include <vector>

#include "fuzzing.hpp"
#include "sae/core/error.hpp"
#include "sae/run/checkpoint.hpp"
#include "sae/storage/hdf5_file.hpp"
#include "sae/storage/sealed_file.hpp"

namespace {

using namespace sae;

enum class Change {
  kNone,
  kMissing,
  kOtherType,
  kOtherValue,
  kOtherShape,
  kMaxValue = kOtherShape
};

void write_attributes(Hdf5File& file, FuzzedDataProvider& input) {
  const std::vector<std::pair<const char*, std::string>> texts = {{"format", "sae-checkpoint"},
                                                                  {"config", "seed=3\n"},
                                                                  {"dataset", "tiny"},
                                                                  {"stage", "finetune"},
                                                                  {"optimizer_slots", "velocity"}};
  for (const auto& [name, value] : texts) {
    const auto change = input.ConsumeEnum<Change>();
    if (change == Change::kMissing) continue;
    if (change == Change::kOtherType) {
      file.write_integer("/", name, 1);
    } else {
      file.write_string("/", name,
                        change == Change::kNone ? value : input.ConsumeRandomLengthString(100));
    }
  }
  for (const char* name :
       {"version", "seed", "epoch", "step_in_epoch", "step", "finished", "divergences",
        "epoch_loss", "epoch_errors", "epoch_samples", "best_errors", "best_epoch", "best_step"}) {
    const auto change = input.ConsumeEnum<Change>();
    if (change == Change::kMissing) continue;
    if (change == Change::kOtherType) {
      file.write_string("/", name, "1");
    } else if (change == Change::kOtherShape) {
      file.write_real("/", name, input.ConsumeFloatingPoint<double>());
    } else {
      file.write_integer("/", name,
                         change == Change::kNone ? 1 : input.ConsumeIntegral<std::int64_t>());
    }
  }
}

template <typename T>
void write_array(Hdf5File& file, const std::string& name, const std::vector<Index>& shape,
                 T value) {
  const Index size = std::accumulate(shape.begin(), shape.end(), Index{1}, std::multiplies<>());
  const std::vector<T> values(static_cast<std::size_t>(size), value);
  file.write<T>(name, shape, values);
}

void write_changed_array(Hdf5File& file, const std::string& name, std::vector<Index> shape,
                         FuzzedDataProvider& input) {
  switch (input.ConsumeEnum<Change>()) {
    case Change::kNone:
      return write_array(file, name, shape, 0.5f);
    case Change::kMissing:
      return;
    case Change::kOtherType:
      if (input.ConsumeBool()) return write_array(file, name, shape, 0.5);
      return write_array(file, name, shape, std::uint8_t{1});
    case Change::kOtherValue:
      return write_array(file, name, shape,
                         input.ConsumeFloatingPoint<float>() * std::numeric_limits<float>::max());
    case Change::kOtherShape:
      break;
  }
  shape.resize(input.ConsumeIntegralInRange<std::size_t>(1, 3));
  if (input.ConsumeBool()) {
    for (Index& size : shape) size = input.ConsumeIntegralInRange<Index>(0, 9);
    return write_array(file, name, shape, 0.5f);
  }
  // An array of the size that a small file can hold at most, packed.
  for (Index& size : shape) size = 1;
  shape.back() = input.ConsumeIntegralInRange<Index>(1, Index{1} << 24);
  file.create_dataset(name, ElementType::kFloat32, {.shape = shape, .deflate_level = 9});
}

void write_changed_checkpoint(const std::filesystem::path& path, FuzzedDataProvider& input) {
  static FileImage image;
  auto file = Hdf5File::create_image(image, path, kSealBytes);
  write_attributes(file, input);
  const std::vector<std::pair<std::string, std::vector<Index>>> arrays = {
      {"hidden1/weights", {6, 5}}, {"hidden1/bias", {5}}, {"hidden1/visible_bias", {6}},
      {"hidden2/weights", {5, 4}}, {"hidden2/bias", {4}}, {"hidden2/visible_bias", {5}},
      {"output/weights", {4, 3}},  {"output/bias", {3}}};
  // The slots of version 1 and of version 2.
  for (const char* group : {"/model/", "/optimizer/", "/optimizer/velocity/"}) {
    if (group != std::string("/model/") && input.ConsumeBool()) break;
    for (const auto& [name, shape] : arrays) {
      write_changed_array(file, group + name, shape, input);
    }
  }
  if (input.ConsumeBool()) write_changed_array(file, "/history/metrics", {9}, input);
  file.close();
  seal_image(image);
  image.write_to(path);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const bool is_file = size > 0 && data[0] == 's';
  const InputFile file(is_file ? std::span(data, size) : std::span<const std::uint8_t>());
  if (!is_file) {
    FuzzedDataProvider input(data, size);
    write_changed_checkpoint(file.path(), input);
  }
  try {
    load_checkpoint(file.path());
  } catch (const Error&) {  // Any other exception is a fault.
  }
  return 0;
}
