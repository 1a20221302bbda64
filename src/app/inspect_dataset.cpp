#include "inspect_dataset.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <vector>

#include "sae/core/text.hpp"
#include "sae/data/dataset_file.hpp"
#include "sae/data/feature_statistics.hpp"
#include "sae/data/shard.hpp"
#include "sae/monitor/character_graphics.hpp"

namespace sae {
namespace {

/// The classes of a split.
struct Classes {
  std::vector<Index> counts;     ///< Empty: there are no labels.
  Index without = 0;             ///< Samples that have no label.
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
      if (labels[i] == kNoLabel) {
        ++classes.without;
        continue;
      }
      ++classes.counts[labels[i]];
      classes.first.emplace(labels[i], begin + static_cast<Index>(i));
    }
  }
  return classes;
}

void print_counts(const Classes& train, const Classes& test,
                  const std::vector<std::string>& names) {
  constexpr std::size_t kMost = 100;  // Lines.
  const std::size_t classes = std::max(train.counts.size(), test.counts.size());
  if (classes == 0) return;
  const auto count = [](const Classes& of, std::size_t label) {
    return label < of.counts.size() ? grouped(of.counts[label]) : "-";
  };
  fmt::print("\n  {:>6} {:>12} {:>12}\n", "class", "train", "test");
  for (std::size_t label = 0; label < std::min(classes, kMost); ++label) {
    fmt::print("  {:>6} {:>12} {:>12}{}\n", label, count(train, label), count(test, label),
               names.empty() ? "" : "  " + names[label]);
  }
  if (classes > kMost) fmt::print("  and {} more\n", grouped(static_cast<Index>(classes - kMost)));
  if (train.without + test.without > 0) {
    const auto without = [](const Classes& of) {
      return of.counts.empty() ? "-" : grouped(of.without);
    };
    fmt::print("  {:>6} {:>12} {:>12}\n", "none", without(train), without(test));
  }
}

/// What is worth to know of the features of the training split, and the first of them one by one.
class FeatureReport {
 public:
  explicit FeatureReport(const DatasetFile& file) : info_(file.info()) {
    for_each_feature_group(file, Split::kTrain,
                           [this](Index first, std::span<const FeatureStatistics> group) {
                             for (const FeatureStatistics& feature : group) add(first++, feature);
                           });
  }

  void print() const {
    if (info_.pixel_type == PixelType::kFloat32) {
      fmt::print("  values   {:.6g} to {:.6g}, mean {:.6g}\n", least_, most_,
                 sum_of_means_ / static_cast<double>(info_.features));
    }
    print_some(constant_, "the same in all training samples");
    print_some(outliers_, fmt::format("more than {} times the median of their magnitudes",
                                      grouped(static_cast<Index>(kOutlierFactor))));
    if (info_.pixel_type == PixelType::kFloat32 && info_.height == 0) print_table();
  }

 private:
  static constexpr std::size_t kMostListed = 20;

  /// How many there are, and the first of them.
  struct Some {
    Index count = 0;
    std::vector<std::string> names;
    void add(const std::string& name) {
      ++count;
      if (names.size() < kMostListed) names.push_back(name);
    }
  };

  void add(Index feature, const FeatureStatistics& statistics) {
    least_ = std::min(least_, statistics.least);
    most_ = std::max(most_, statistics.most);
    sum_of_means_ += statistics.mean;
    if (statistics.is_constant()) constant_.add(info_.feature_name(feature));
    if (statistics.has_outlier(kOutlierFactor)) outliers_.add(info_.feature_name(feature));
    if (first_.size() < kMostListed) first_.push_back(statistics);
  }

  void print_some(const Some& some, const std::string& what) const {
    if (some.count == 0) return;
    const bool named = info_.height == 0 && info_.pixel_type == PixelType::kFloat32;
    fmt::print("  {} of {} {} {} {}", grouped(some.count), grouped(info_.features),
               named ? "features" : "pixels", &some == &constant_ ? "are" : "have values", what);
    if (named) {
      fmt::print(": {}{}", fmt::join(some.names, ", "),
                 some.count > static_cast<Index>(some.names.size()) ? ", ..." : "");
    }
    fmt::print("\n");
  }

  void print_table() const {
    constexpr std::size_t kMostName = 32;
    std::size_t width = std::string("feature").size();
    for (std::size_t i = 0; i < first_.size(); ++i) {
      width =
          std::max(width, std::min(info_.feature_name(static_cast<Index>(i)).size(), kMostName));
    }
    fmt::print("\n  {:<{}} {:>12} {:>12} {:>12}\n", "feature", width, "min", "mean", "max");
    for (std::size_t i = 0; i < first_.size(); ++i) {
      const FeatureStatistics& feature = first_[i];
      fmt::print("  {:<{}} {:>12.6g} {:>12.6g} {:>12.6g}{}\n",
                 info_.feature_name(static_cast<Index>(i)), width, feature.least, feature.mean,
                 feature.most, feature.is_constant() ? "  constant" : "");
    }
    const Index more = info_.features - static_cast<Index>(first_.size());
    if (more > 0) fmt::print("  and {} more\n", grouped(more));
  }

  const DatasetInfo& info_;
  float least_ = std::numeric_limits<float>::infinity();
  float most_ = -std::numeric_limits<float>::infinity();
  double sum_of_means_ = 0;
  Some constant_;
  Some outliers_;
  std::vector<FeatureStatistics> first_;
};

/// Shows a flat sample of a square number of bytes as a square, and real numbers from the least to
/// the largest of the sample where they are not within [0, 1]. Empty if the sample is no picture.
GreyPicture picture_of(const DatasetFile& file, Index sample) {
  const DatasetInfo& info = file.info();
  GreyPicture picture{.width = info.width, .height = info.height, .pixels = {}};
  if (info.height == 0) {
    if (info.pixel_type != PixelType::kUint8) return {};
    const auto side = std::llround(std::sqrt(static_cast<double>(info.features)));
    if (side * side != info.features) return {};
    picture.height = picture.width = side;
  }
  std::vector<std::byte> bytes(info.bytes_per_sample() + sizeof(std::uint16_t));
  file.read_images(Split::kTrain, {sample, sample + 1},
                   std::span(bytes).first(info.bytes_per_sample()));
  std::vector<float> pixels(static_cast<std::size_t>(info.features));
  decode_pixels({info.features, info.pixel_type}, bytes, pixels);
  const auto [least, most] = std::ranges::minmax(pixels);
  const bool fits = 0 <= least && most <= 1;
  const float from = fits ? 0.0f : least;
  const float range = fits || most == least ? 1.0f : most - least;
  for (const float pixel : pixels) {
    picture.pixels.push_back(static_cast<std::uint8_t>(std::lround(255 * (pixel - from) / range)));
  }
  return picture;
}

void print_pictures(const DatasetFile& file, const Classes& classes, int columns) {
  constexpr Index kSide = 28;
  constexpr std::size_t kMost = 10;
  const std::vector<std::string>& names = file.info().class_names;
  std::vector<std::pair<std::string, Index>> samples;
  for (const auto& [label, sample] : classes.first) {
    if (samples.size() < kMost)
      samples.emplace_back(
          names.empty() ? fmt::format("{}", label) : names[static_cast<std::size_t>(label)],
          sample);
  }
  if (samples.empty()) {
    for (Index i = 0; i < std::min<Index>(kMost, file.info().train_count); ++i) {
      samples.emplace_back(fmt::format("sample {}", i), i);
    }
  }
  std::vector<GreyPicture> row;
  std::string titles;
  const auto print_row = [&] {
    if (!row.empty()) fmt::print("\n{}\n{}", titles, half_blocks(row));
    row.clear();
    titles.clear();
  };
  for (const auto& [name, sample] : samples) {
    GreyPicture picture = shrunk_to_side(picture_of(file, sample), kSide);
    if (picture.pixels.empty() || picture.width + 1 > columns) return;
    if ((static_cast<Index>(row.size()) + 1) * (picture.width + 1) > columns) print_row();
    titles += fmt::format("{:<{}} ", name.substr(0, static_cast<std::size_t>(picture.width)),
                          picture.width);
    row.push_back(std::move(picture));
  }
  print_row();
}

}  // namespace

void inspect_dataset(const std::filesystem::path& path, int columns) {
  const DatasetFile file(path);
  const DatasetInfo& info = file.info();
  const bool is_table = info.height == 0 && info.pixel_type == PixelType::kFloat32;
  fmt::print("{}: data set '{}', {} classes, {} {}", path.string(), info.name, info.classes,
             info.features, is_table ? "features" : "pixels");
  if (info.height > 0) fmt::print(" ({} x {})", info.height, info.width);
  fmt::print(", {}\n", info.pixel_type == PixelType::kUint8 ? "uint8" : "float32");
  if (!info.source.empty()) fmt::print("  source   {}\n", info.source);
  if (!info.license.empty()) fmt::print("  licence  {}\n", info.license);
  for (const Split split : {Split::kTrain, Split::kTest}) {
    fmt::print("  {:<8} {:>12} samples{}\n", name_of(split), grouped(info.count(split)),
               info.has_labels(split) || info.count(split) == 0 ? "" : " without labels");
  }
  FeatureReport(file).print();
  const Classes train = classes_of(file, Split::kTrain);
  print_counts(train, classes_of(file, Split::kTest), info.class_names);
  if (columns > 0) print_pictures(file, train, columns);
}

}  // namespace sae
