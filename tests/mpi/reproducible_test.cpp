#include "sae/averaging/reproducible_sum.hpp"
#include "support/distributed_training.hpp"

namespace sae {
namespace {

TEST_F(DistributedTraining, ReproduciblyGivesTheBitsOfOneProcess) {
  ASSERT_TRUE(ReproducibleSum::possible(comm.size()));
  configuration.reproducible = true;
  const TinyRun one = alone();
  const TinyRun all = train_tiny(configuration, comm);
  EXPECT_EQ(one.parameters, all.parameters);
  for (const auto& [own, other] :
       {std::pair(one.result.models[0].test, all.result.models[0].test),
        std::pair(one.result.models[0].validation, all.result.models[0].validation)}) {
    EXPECT_EQ(own->loss, other->loss);
    EXPECT_EQ(own->errors, other->errors);
  }
}

TEST_F(DistributedTraining, ReproduciblyCountsTheTrainingErrorsOfAllSamples) {
  const TinyRun usual = train_tiny(configuration, comm);
  configuration.run = folder.path() / "reproducible";
  configuration.reproducible = true;
  const TinyRun run = train_tiny(configuration, comm);
  ASSERT_EQ(run.observer.epochs.size(), usual.observer.epochs.size());
  for (std::size_t i = 0; i < run.observer.epochs.size(); ++i) {
    const EpochReport& expected = usual.observer.epochs[i];
    EXPECT_EQ(run.observer.epochs[i].train_error, expected.train_error) << expected.stage;
    EXPECT_EQ(run.observer.epochs[i].samples, expected.samples);
  }
}

}  // namespace
}  // namespace sae
