#include "sae/averaging/reproducible_sum.hpp"

#include <gtest/gtest.h>

#include <vector>

#include "sae/comm/self_communicator.hpp"

namespace sae {
namespace {

/// Notes how far the heartbeat was whenever it is evaluated.
class NotingObjective final : public Objective<float> {
 public:
  explicit NotingObjective(const Heartbeat& heartbeat) : heartbeat_(heartbeat) {}
  Range trainable_range() const override { return {0, 1}; }
  ObjectiveSums evaluate(const ParametersRef<float>& /*parameters*/,
                         const Minibatch<float>& /*minibatch*/, std::uint32_t /*epoch*/,
                         GradientSink<float>& /*gradient*/) override {
    noted.push_back(heartbeat_.last_progress);
    return {};
  }
  double flop_per_sample(Index /*encoded_layers*/) const override { return 0; }

  std::vector<std::int64_t> noted;

 private:
  const Heartbeat& heartbeat_;
};

TEST(ReproducibleSum, MakesProgressWithEachMicrobatch) {
  SelfCommunicator comm;
  Heartbeat heartbeat;
  NotingObjective objective(heartbeat);
  Minibatch<float> minibatch;
  minibatch.global_size = 32;
  minibatch.inputs = Matrix<float>::Zero(1, 32);
  minibatch.labels.resize(32);
  minibatch.samples.resize(32);
  Vector<float> parameters = Vector<float>::Zero(1);
  ReproducibleSum sum(comm, &heartbeat);
  sum.evaluate(objective, ParametersRef<float>(span_of(parameters), {}), minibatch, 1, 0);
  ASSERT_EQ(objective.noted.size(), 16u);
  EXPECT_GT(objective.noted[0], 0);
  for (std::size_t i = 1; i < 16; ++i) EXPECT_GT(objective.noted[i], objective.noted[i - 1]);
}

}  // namespace
}  // namespace sae
