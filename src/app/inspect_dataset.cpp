#include "inspect_dataset.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <vector>

#include "sae/core/text.hpp"
#include "sae/data/dataset_file.hpp"
#include "sae/data/shard.hpp"
#include "sae/monitor/character_graphics.hpp"

namespace sae {
namespace {

/// The classes of a split.
struct Classes {
  std::vector<Index> counts;
  std::map<Index, Index> first;  ///< First sample of each class.
};

Classes classes_of(const DatasetFile& file, Split split) {
  constexpr Index kBlock = 65536;
  Classes classes;
  if (!file.info().has_labels(split)) return classes;
  classes.counts.resize(static_cast<std::size_t>(file.info().classes));
  const Index samples = file.info().count(split);
  for (Index begin = 0; begin < samples; begin += kBlock) {
    const Range block{begin, std::min(begin + kBlock, samples)};
    std::vector<std::uint16_t> labels(static_cast<std::size_t>(block.size()));
    file.read_labels(split, block, labels);
    for (std::size_t i = 0; i < labels.size(); ++i) {
      ++classes.counts[labels[i]];
      classes.first.emplace(labels[i], begin + static_cast<Index>(i));
    }
  }
  return classes;
}

void print_counts(const Classes& train, const Classes& test) {
  constexpr std::size_t kMost = 100;  // Lines.
  const std::size_t classes = std::max(train.counts.size(), test.counts.size());
  if (classes == 0) return;
  const auto count = [](const Classes& of, std::size_t label) {
    return label < of.counts.size() ? grouped(of.counts[label]) : "-";
  };
  fmt::print("\n  {:>6} {:>12} {:>12}\n", "class", "train", "test");
  for (std::size_t label = 0; label < std::min(classes, kMost); ++label) {
    fmt::print("  {:>6} {:>12} {:>12}\n", label, count(train, label), count(test, label));
  }
  if (classes > kMost) fmt::print("  and {} more\n", grouped(static_cast<Index>(classes - kMost)));
}

/// Shows a flat sample with a square number of pixels as a square.
GreyPicture picture_of(const DatasetFile& file, Index sample) {
  const DatasetInfo& info = file.info();
  GreyPicture picture{.width = info.width, .height = info.height, .pixels = {}};
  if (info.height == 0) {
    const auto side = std::llround(std::sqrt(static_cast<double>(info.features)));
    if (side * side != info.features) return {};
    picture.height = picture.width = side;
  }
  std::vector<std::byte> bytes(info.bytes_per_sample() + sizeof(std::uint16_t));
  file.read_images(Split::kTrain, {sample, sample + 1},
                   std::span(bytes).first(info.bytes_per_sample()));
  std::vector<float> pixels(static_cast<std::size_t>(info.features));
  decode_pixels({info.features, info.pixel_type}, bytes, pixels);
  for (const float pixel : pixels) {
    picture.pixels.push_back(static_cast<std::uint8_t>(std::lround(255 * pixel)));
  }
  return picture;
}

void print_pictures(const DatasetFile& file, const Classes& classes, int columns) {
  constexpr Index kSide = 28;
  constexpr std::size_t kMost = 10;
  std::vector<std::pair<std::string, Index>> samples;
  for (const auto& [label, sample] : classes.first) {
    if (samples.size() < kMost) samples.emplace_back(fmt::format("{}", label), sample);
  }
  if (samples.empty()) {
    for (Index i = 0; i < std::min<Index>(kMost, file.info().train_count); ++i) {
      samples.emplace_back(fmt::format("sample {}", i), i);
    }
  }
  std::vector<GreyPicture> row;
  std::string names;
  const auto print_row = [&] {
    if (!row.empty()) fmt::print("\n{}\n{}", names, half_blocks(row));
    row.clear();
    names.clear();
  };
  for (const auto& [name, sample] : samples) {
    GreyPicture picture = shrunk_to_side(picture_of(file, sample), kSide);
    if (picture.pixels.empty() || picture.width + 1 > columns) return;
    if ((static_cast<Index>(row.size()) + 1) * (picture.width + 1) > columns) print_row();
    names += fmt::format("{:<{}} ", name.substr(0, static_cast<std::size_t>(picture.width)),
                         picture.width);
    row.push_back(std::move(picture));
  }
  print_row();
}

}  // namespace

void inspect_dataset(const std::filesystem::path& path, int columns) {
  const DatasetFile file(path);
  const DatasetInfo& info = file.info();
  fmt::print("{}: data set '{}', {} classes, {} pixels", path.string(), info.name, info.classes,
             info.features);
  if (info.height > 0) fmt::print(" ({} x {})", info.height, info.width);
  fmt::print(", {}\n", info.pixel_type == PixelType::kUint8 ? "uint8" : "float32");
  if (!info.source.empty()) fmt::print("  source   {}\n", info.source);
  if (!info.license.empty()) fmt::print("  licence  {}\n", info.license);
  for (const Split split : {Split::kTrain, Split::kTest}) {
    fmt::print("  {:<8} {:>12} samples{}\n", name_of(split), grouped(info.count(split)),
               info.has_labels(split) || info.count(split) == 0 ? "" : " without labels");
  }
  const Classes train = classes_of(file, Split::kTrain);
  print_counts(train, classes_of(file, Split::kTest));
  if (columns > 0) print_pictures(file, train, columns);
}

}  // namespace sae
