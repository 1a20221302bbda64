#include "sae/train/hard_samples.hpp"

#include <gtest/gtest.h>

#include "sae/comm/mpi_communicator.hpp"
#include "sae/comm/self_communicator.hpp"
#include "sae/data/distributed_dataset.hpp"
#include "sae/model/stacked_autoencoder.hpp"
#include "sae/train/evaluation.hpp"
#include "support/shared_directory.hpp"
#include "support/tiny_dataset.hpp"

namespace sae {
namespace {

TEST(HardSamples, AreTheSameForAnyNumberOfRanks) {
  MpiCommunicator comm;
  const SharedDirectory folder(comm);
  const TinyDataset tiny;
  const auto path = folder.path() / "tiny.h5";
  if (comm.is_root()) tiny.write(path);
  comm.barrier();
  const ParameterLayout layout({.inputs = tiny.features(), .hidden = {8}, .classes = tiny.classes});
  Vector<float> parameters;
  initialize_parameters(layout, 3, parameters);
  const auto hardest = [&](Communicator& of, Index samples) {
    DistributedDataset dataset(path, DataAccess::kScatter, of);
    const Shard shard = dataset.load_shard(SampleSet(Split::kTest, {0, samples}));
    HardSamples hard(12);
    evaluate(layout, parameters, shard, of, nullptr, &hard);
    return hard.gather(shard, of);
  };
  for (const Index samples : {Index{31}, Index{3}, Index{0}}) {  // Of three, most ranks hold none.
    const auto found = hardest(comm, samples);
    if (!comm.is_root()) {
      EXPECT_TRUE(found.empty());
      continue;
    }
    SelfCommunicator self;
    const auto expected = hardest(self, samples);
    ASSERT_EQ(found.size(), static_cast<std::size_t>(std::min<Index>(samples, 12)));
    for (std::size_t i = 0; i < found.size(); ++i) {
      EXPECT_EQ(found[i].sample, expected[i].sample);
      EXPECT_EQ(found[i].label, tiny.label(Split::kTest, found[i].sample));
      EXPECT_EQ(found[i].predicted, expected[i].predicted);
      EXPECT_NEAR(found[i].loss, expected[i].loss, 1e-4);  // The unit in which losses are compared.
      EXPECT_EQ(found[i].pixels, expected[i].pixels);
      EXPECT_GE(found[0].loss, found[i].loss - 1e-4);
    }
  }
  comm.barrier();
}

}  // namespace
}  // namespace sae
