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

}  // namespace
}  // namespace sae
