#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <optional>

#include "sae/averaging/gradient_averaging.hpp"
#include "sae/comm/mpi_communicator.hpp"
#include "sae/kernels/bfloat16.hpp"
#include "support/several_nodes.hpp"

namespace sae {
namespace {

/// Both strategies, each with all combinations of number types.
struct Case {
  Averaging strategy;
  Precision products;
  Precision gradient;
  bool several_nodes = false;
};

struct AveragingOverRanks : testing::TestWithParam<Case> {
  MpiCommunicator world;
  SeveralNodes nodes{world};
  Communicator& comm = GetParam().several_nodes ? static_cast<Communicator&>(nodes)
                                                : static_cast<Communicator&>(world);
  ParameterLayout layout{Topology{.inputs = 70, .hidden = {50, 30}, .classes = 4}};
  OptimizerStep step{.learning_rate = 0.5f, .weight_decay = 0.25f, .gradient_scale = 0.125f};
  float momentum = 0.5f;

  AveragingSettings settings() const {
    return {.strategy = GetParam().strategy,
            .products = GetParam().products,
            .gradient = GetParam().gradient,
            .optimizer = {.momentum = momentum}};
  }
  std::unique_ptr<GradientAveraging> make() {
    return std::make_unique<GradientAveraging>(layout, settings(), comm);
  }
  /// A rank's gradient, exact in bfloat16, as is its sum over up to 8 ranks.
  static float gradient(int rank, Index i) { return static_cast<float>((i + rank) % 5 - 2); }
  float sum_of_gradients(Index i) const {
    float sum = 0;
    for (int rank = 0; rank < comm.size(); ++rank) sum += gradient(rank, i);
    return sum;
  }
  /// A step with the gradient of the trainable, in buckets that match neither owned ranges nor
  /// cache lines. The element `planted` of the last rank is no number.
  bool take_step(GradientAveraging& averaging, Range trainable, StepSums& sums,
                 std::optional<Index> planted = {}) const {
    averaging.start_step(step, sums.stop_votes);
    if (averaging.reduce_sums(sums.objective)) {
      constexpr Index kBucket = 301;
      for (Index begin = trainable.begin; begin < trainable.end; begin += kBucket) {
        const Range bucket{begin, std::min(begin + kBucket, trainable.end)};
        const auto memory = averaging.memory(bucket);
        for (Index i = bucket.begin; i < bucket.end; ++i) {
          float value = gradient(comm.rank(), i);
          if (planted == i && comm.rank() == comm.size() - 1) {
            value = std::numeric_limits<float>::quiet_NaN();
          }
          const auto at = static_cast<std::size_t>(i - bucket.begin);
          if (!memory.values.empty()) memory.values[at] = value;
          if (!memory.rounded.empty()) memory.rounded[at] = static_cast<bfloat16>(value);
        }
        averaging.ready(bucket);
      }
    }
    return averaging.finish_step(sums);
  }
  StepSums sums() const {
    return {{.loss = 1.0 + comm.rank(), .errors = 2, .samples = 3}, comm.rank() == 0 ? 1.0 : 0.0};
  }
};

TEST_P(AveragingOverRanks, KeepsAnAverageOfTheParameters) {
  AveragingSettings averaged = settings();
  averaged.weight_average = 0.5;
  GradientAveraging averaging(layout, averaged, comm);
  averaging.reset_slots();
  averaging.broadcast_from_root();
  EXPECT_EQ(averaging.slots().back().name, kAverageSlot);
  Vector<float> expected = Vector<float>::Zero(layout.size());
  for (step.number = 1; step.number <= 12; ++step.number) {
    StepSums sums = this->sums();
    EXPECT_TRUE(take_step(averaging, {0, layout.size()}, sums));
    const auto t = static_cast<float>(step.number);
    const float kept = std::min(0.5f, (t - 1) / (t + 9));
    const Eigen::Map<const Vector<float>> w(averaging.parameters().data(), layout.size());
    expected += (1 - kept) * (w - expected);
    const Eigen::Map<const Vector<float>> average(averaging.average().data(), layout.size());
    EXPECT_LT((average - expected).cwiseAbs().maxCoeff(), 1e-4f * w.cwiseAbs().maxCoeff());
    comm.barrier();  // Others may still be reading what the next update changes.
  }
  averaging.close();
}

TEST_P(AveragingOverRanks, UpdatesByTheSumWithinTheTrainableRangeAndLeavesTheRest) {
  const auto averaging = make();
  if (comm.is_root()) {
    std::fill(averaging->parameters().begin(), averaging->parameters().end(), 1.0f);
    averaging->reset_slots();
  }
  averaging->broadcast_from_root();
  const Range trainable = layout.pretraining_range(1);
  std::vector<float> w(static_cast<std::size_t>(layout.size()), 1.0f);
  std::vector<float> v(w.size(), 0.0f);
  for (int update = 0; update < 3; ++update) {
    StepSums of_step = sums();
    ASSERT_TRUE(take_step(*averaging, trainable, of_step));
    EXPECT_EQ(of_step.objective.samples, 3 * comm.size());
    EXPECT_EQ(of_step.objective.loss, comm.size() * (comm.size() + 1) / 2.0);
    EXPECT_EQ(of_step.stop_votes, 1);
    for (const ParameterView& view : layout.views()) {
      for (Index i = view.offset; i < view.offset + view.size(); ++i) {
        const auto at = static_cast<std::size_t>(i);
        if (trainable.contains(i)) {
          const float decay = view.is_weights ? step.weight_decay : 0.0f;
          v[at] = momentum * v[at] + (step.gradient_scale * sum_of_gradients(i) + decay * w[at]);
          w[at] -= step.learning_rate * v[at];
        }
        ASSERT_FLOAT_EQ(averaging->parameters()[at], w[at]) << view.name;
        ASSERT_FLOAT_EQ(averaging->slots()[0].values[at], v[at]) << view.name;
        if (GetParam().products == Precision::kBfloat16) {
          bfloat16 rounded{};
          round_to_bfloat16({&averaging->parameters()[at], 1}, {&rounded, 1});
          ASSERT_EQ(averaging->parameters_ref().rounded[at], rounded);
        }
      }
    }
    comm.barrier();  // Others may still be reading what the next update changes.
  }
}

TEST_P(AveragingOverRanks, ARankWhoseGradientIsNotFiniteIsSeenByAllAndReachesNoWeight) {
  const auto averaging = make();
  averaging->broadcast_from_root();
  StepSums of_step = sums();
  EXPECT_FALSE(take_step(*averaging, layout.finetuning_range(), of_step, 77));
  for (const float w : averaging->parameters()) ASSERT_TRUE(std::isfinite(w));
  comm.barrier();
}

TEST_P(AveragingOverRanks, ALossThatIsNotFiniteChangesNothing) {
  const auto averaging = make();
  averaging->broadcast_from_root();
  StepSums of_step = sums();
  if (comm.rank() == 0) of_step.objective.loss = std::numeric_limits<double>::infinity();
  EXPECT_FALSE(take_step(*averaging, layout.finetuning_range(), of_step));
  for (const float w : averaging->parameters()) ASSERT_EQ(w, 0);
  comm.barrier();
}

/// Steps of length learning_rate along the whole gradient, of which it needs the norm; counts them
/// in its slot.
class NormalizedDescent final : public Optimizer {
 public:
  std::vector<std::string> slots() const override { return {"steps"}; }
  std::size_t statistics(std::size_t /*arrays*/) const override { return 1; }
  void add_statistics(Index /*array*/, std::span<const float> /*parameters*/,
                      std::span<const float> gradient, std::span<double> sums) const override {
    for (const float g : gradient) sums[0] += double{g} * double{g};
  }
  bool update(const UpdatedVectors& vectors, const std::vector<std::span<const float>>& gradients,
              const OptimizerStep& step) const override {
    EXPECT_EQ(gradients.size(), 1u);
    const auto scale = step.learning_rate / static_cast<float>(std::sqrt(step.statistics[0]));
    for (std::size_t i = 0; i < vectors.parameters.size(); ++i) {
      vectors.parameters[i] -= scale * gradients[0][i];
      vectors.slots[0][i] += 1;
      if (!vectors.rounded.empty()) {
        vectors.rounded[i] = static_cast<bfloat16>(vectors.parameters[i]);
      }
    }
    return std::isfinite(scale);
  }
  bool update(const UpdatedVectors& /*vectors*/,
              const std::vector<std::span<const bfloat16>>& /*gradients*/,
              const OptimizerStep& /*step*/) const override {
    ADD_FAILURE() << "the whole gradient is kept in float";
    return false;
  }
};

TEST_P(AveragingOverRanks, AnOptimizerCanNeedTheWholeGradientBeforeTheFirstUpdate) {
  GradientAveraging averaging(layout, settings(), std::make_unique<NormalizedDescent>(), comm);
  averaging.broadcast_from_root();
  const Range trainable = layout.pretraining_range(1);
  double squares = 0;
  for (const ParameterView& view : layout.views()) {
    for (Index i = view.offset; i < view.offset + view.size(); ++i) {
      if (trainable.contains(i)) squares += std::pow(double{sum_of_gradients(i)}, 2);
    }
  }
  const auto scale = static_cast<float>(double{step.learning_rate} / std::sqrt(squares));
  for (int update = 1; update <= 3; ++update) {
    StepSums of_step = sums();
    ASSERT_TRUE(take_step(averaging, trainable, of_step));
    for (const ParameterView& view : layout.views()) {
      for (Index i = view.offset; i < view.offset + view.size(); ++i) {
        const auto at = static_cast<std::size_t>(i);
        const float steps = trainable.contains(i) ? static_cast<float>(update) : 0;
        ASSERT_NEAR(averaging.parameters()[at], -steps * scale * sum_of_gradients(i), 1e-6);
        ASSERT_EQ(averaging.slots()[0].values[at], steps) << view.name;
      }
    }
    comm.barrier();  // Others may still be reading what the next update changes.
  }
}

INSTANTIATE_TEST_SUITE_P(
    Strategies, AveragingOverRanks,
    testing::Values(Case{Averaging::kFlat, Precision::kFloat32, Precision::kFloat32},
                    Case{Averaging::kFlat, Precision::kFloat32, Precision::kBfloat16},
                    Case{Averaging::kFlat, Precision::kBfloat16, Precision::kFloat32},
                    Case{Averaging::kFlat, Precision::kBfloat16, Precision::kBfloat16},
                    Case{Averaging::kNode, Precision::kFloat32, Precision::kFloat32},
                    Case{Averaging::kNode, Precision::kFloat32, Precision::kBfloat16},
                    Case{Averaging::kNode, Precision::kBfloat16, Precision::kFloat32},
                    Case{Averaging::kNode, Precision::kBfloat16, Precision::kBfloat16}));

INSTANTIATE_TEST_SUITE_P(
    OverUnequalNodes, AveragingOverRanks,
    testing::Values(Case{Averaging::kNode, Precision::kFloat32, Precision::kFloat32, true},
                    Case{Averaging::kNode, Precision::kFloat32, Precision::kBfloat16, true},
                    Case{Averaging::kNode, Precision::kBfloat16, Precision::kBfloat16, true}));

}  // namespace
}  // namespace sae
