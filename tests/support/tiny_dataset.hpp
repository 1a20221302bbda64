#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <filesystem>
#include <span>
#include <vector>

#include "sae/data/dataset_file.hpp"

namespace sae {

/// A small data set that is a formula of (split, sample, pixel). The odd counts bring out
/// mistakes with unequal parts. A class can be learned: its label tells which pixels are bright.
struct TinyDataset {
  Index train_count = 97;
  Index test_count = 31;
  Index height = 6;
  Index width = 5;
  Index classes = 3;
  PixelType pixel_type = PixelType::kUint8;
  bool labels = true;

  Index features() const { return height * width; }

  std::uint16_t label(Split split, Index sample) const {
    return static_cast<std::uint16_t>(mix(split, sample, 0) % static_cast<std::uint64_t>(classes));
  }
  std::uint8_t pixel(Split split, Index sample, Index pixel) const {
    const auto noise = static_cast<std::uint8_t>(mix(split, sample, pixel + 1) % 64);
    const bool bright = pixel % classes == label(split, sample);
    return static_cast<std::uint8_t>(bright ? 255 - noise : noise);
  }

  DatasetInfo info() const {
    DatasetInfo info;
    info.name = "tiny";
    info.classes = classes;
    info.features = features();
    info.height = height;
    info.width = width;
    info.pixel_type = pixel_type;
    info.train_count = train_count;
    info.test_count = test_count;
    info.has_train_labels = labels;
    info.has_test_labels = labels && test_count > 0;
    return info;
  }

  /// Writes the file. Returns what it holds.
  DatasetInfo write(const std::filesystem::path& path) const {
    const DatasetInfo info = this->info();
    DatasetWriter writer(path, info);
    for (const Split split : {Split::kTrain, Split::kTest}) append(split, info, writer);
    writer.finish();
    return info;
  }

 private:
  static std::uint64_t mix(Split split, Index sample, Index pixel) {
    std::uint64_t bits = static_cast<std::uint64_t>(sample) * 100003u +
                         static_cast<std::uint64_t>(pixel) * 2u + (split == Split::kTest ? 1u : 0u);
    bits = (bits ^ (bits >> 30)) * 0xbf58476d1ce4e5b9u;  // As splitmix64 ends.
    bits = (bits ^ (bits >> 27)) * 0x94d049bb133111ebu;
    return bits ^ (bits >> 31);
  }

  void append(Split split, const DatasetInfo& info, DatasetWriter& writer) const {
    for (Index sample = 0; sample < info.count(split); ++sample) {
      std::vector<std::uint8_t> bytes;
      std::vector<float> reals;
      for (Index i = 0; i < features(); ++i) {
        bytes.push_back(pixel(split, sample, i));
        reals.push_back(static_cast<float>(bytes.back()) / 255.0f);
      }
      writer.append_images(split, pixel_type == PixelType::kUint8
                                      ? std::as_bytes(std::span(bytes))
                                      : std::as_bytes(std::span(reals)));
      const std::uint16_t label_of_sample = label(split, sample);
      if (info.has_labels(split)) writer.append_labels(split, {&label_of_sample, 1});
    }
  }
};

}  // namespace sae
