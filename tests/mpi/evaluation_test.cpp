#include "sae/train/evaluation.hpp"

#include <gtest/gtest.h>

#include <cstring>

#include "sae/comm/mpi_communicator.hpp"
#include "sae/comm/self_communicator.hpp"
#include "sae/core/partition.hpp"
#include "sae/model/stacked_autoencoder.hpp"

namespace sae {
namespace {

/// `count` samples of 8 pixels, this rank's part in whole blocks. Of each `unlabelled` one has no
/// label.
Shard samples(Index count, Index classes, Communicator& comm, Index unlabelled) {
  Shard shard({.features = 8, .pixel_type = PixelType::kUint8}, count,
              part_in_blocks({0, count}, kEvaluationBlock, comm.rank(), comm.size()));
  for (Index sample = shard.samples().begin; sample < shard.samples().end; ++sample) {
    const auto record = shard.records(Range{sample, sample + 1});
    for (std::size_t i = 0; i < 8; ++i) record[i] = std::byte((sample * 37 + Index(i) * 91) % 256);
    const bool known = unlabelled == 0 || sample % unlabelled != 0;
    const auto label = known ? static_cast<std::uint16_t>(sample * 7 % classes) : kNoLabel;
    std::memcpy(record.data() + 8, &label, sizeof label);
  }
  return shard;
}

Evaluation evaluation_of(Index count, Index classes, Communicator& comm, Index unlabelled = 0) {
  const ParameterLayout layout({.inputs = 8, .hidden = {6}, .classes = classes});
  Vector<float> parameters;
  initialize_parameters(layout, 1, parameters);
  for (Index i = 0; i < parameters.size(); ++i) parameters[i] += static_cast<float>(i % 13) / 7;
  return evaluate(layout, parameters, samples(count, classes, comm, unlabelled), comm);
}

TEST(Evaluation, OfWholeBlocksIsTheSameToTheBitOnAnyNumberOfRanks) {
  MpiCommunicator comm;
  SelfCommunicator alone;
  for (const Index count : {1, 250, 3333}) {
    const Evaluation expected = evaluation_of(count, 5, alone);
    const Evaluation found = evaluation_of(count, 5, comm);
    EXPECT_EQ(found.loss, expected.loss);
    EXPECT_EQ(found.errors, expected.errors);
    EXPECT_EQ(found.samples, count);
    if (!comm.is_root()) continue;
    EXPECT_EQ(found.confusion, expected.confusion);
  }
}

TEST(Evaluation, IsOfTheSamplesThatHaveALabel) {
  MpiCommunicator comm;
  const Evaluation found = evaluation_of(900, 5, comm, 3);
  EXPECT_EQ(found.samples, 600);
  if (!comm.is_root()) return;
  Index counted = 0;
  for (const auto& cell : found.confusion.cells()) counted += cell.count;
  EXPECT_EQ(counted, 600);
}

TEST(Evaluation, OfManyClassesTakesNoMemoryForPairsThatDoNotOccur) {
  MpiCommunicator comm;
  constexpr Index kClasses = 65535;  // A matrix would take 34 GB.
  const Evaluation found = evaluation_of(300, kClasses, comm);
  EXPECT_EQ(found.samples, 300);
  if (!comm.is_root()) return;
  Index counted = 0;
  Index errors = 0;
  for (const auto& cell : found.confusion.cells()) {
    counted += cell.count;
    errors += cell.label == cell.predicted ? 0 : cell.count;
  }
  EXPECT_EQ(counted, 300);
  EXPECT_EQ(errors, found.errors);
}

}  // namespace
}  // namespace sae
