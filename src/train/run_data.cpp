#include "sae/train/run_data.hpp"

#include <fmt/format.h>

#include <bit>
#include <numeric>
#include <span>

#include "sae/core/error.hpp"
#include "sae/train/evaluation.hpp"

namespace sae {

void check_dataset(const Configuration& configuration, const DatasetInfo& info) {
  const std::string data = configuration.data.string();
  if (!info.has_train_labels) {
    throw DataError(
        fmt::format("The data set {} has no /train/labels to train a classifier with.", data));
  }
  if (info.train_count > Index{0xffffffff}) {
    throw DataError(
        fmt::format("The data set {} has {} training samples; at most 2^32 - 1 can be "
                    "told apart by the random numbers.",
                    data, info.train_count));
  }
  if (configuration.validation_size >= info.train_count) {
    throw DataError(fmt::format(
        "A validation set of {} samples (--validation-size) leaves nothing to train on: {} has {} "
        "training samples.",
        configuration.validation_size, data, info.train_count));
  }
}

RunData::RunData(const Configuration& configuration, DistributedDataset& dataset,
                 Communicator& comm)
    : info(dataset.info()),
      training(dataset.record_format(), 0, {}),
      validation(training),
      test(training) {
  const Index validation_size = configuration.validation_size;
  training = dataset.load_shard(Split::kTrain, {validation_size, info.train_count});
  // Whole blocks per shard make evaluation sums independent of the number of ranks.
  const Index whole = configuration.reproducible ? kEvaluationBlock : 1;
  validation = dataset.load_shard(Split::kTrain, {0, validation_size}, whole);
  test = dataset.load_shard(Split::kTest, {0, info.has_test_labels ? info.test_count : 0}, whole);
  for (const Shard* set : {&training, &validation, &test}) {
    const std::uint64_t own = sae::digest(*set);
    const auto of_ranks = comm.allgather_values(std::span(&own, 1));
    const std::uint64_t sum = std::accumulate(of_ranks.begin(), of_ranks.end(), std::uint64_t{0});
    digest = std::rotl(digest, 21) ^ sum;  // Swapped sets change the digest.
  }
}

std::string RunData::description() const {
  return fmt::format("{}: {} + {} samples of {} {} pixels, {} classes", info.name, info.train_count,
                     info.test_count, info.features,
                     info.pixel_type == PixelType::kUint8 ? "uint8" : "float32", info.classes);
}

}  // namespace sae
