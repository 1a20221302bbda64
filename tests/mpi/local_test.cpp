// Groups of ranks that update by themselves: --averaging local.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <memory>
#include <vector>

#include "sae/averaging/gradient_averaging.hpp"
#include "sae/config/settings.hpp"
#include "sae/core/error.hpp"
#include "support/distributed_training.hpp"
#include "support/several_nodes.hpp"

namespace sae {
namespace {

constexpr Index kAveragesToMeet = 8;

/// What a group does by itself, and what it keeps: one number of the model.
struct Group {
  double weight = 0;
  double velocity = 0;
  double own = 0;  // Progress that the anchor does not have yet.
};

/// The averages as their formula has them, for groups of equal size.
class Model {
 public:
  Model(std::size_t groups, LocalSettings settings) : groups_(groups), settings_(settings) {}

  void update(double rate, double momentum) {
    for (std::size_t g = 0; g < groups_.size(); ++g) {
      groups_[g].velocity = momentum * groups_[g].velocity + gradient(g);
      groups_[g].weight -= rate * groups_[g].velocity;
    }
  }
  void average(bool completely) {
    for (Group& g : groups_) g.own = g.weight - (anchor_ + g.own);
    receive();
    for (const Group& g : groups_) sent_ += g.own / static_cast<double>(groups_.size());
    has_sent_ = true;
    if (completely) {
      receive();
      double velocity = 0;
      for (const Group& g : groups_) velocity += g.velocity / static_cast<double>(groups_.size());
      for (Group& g : groups_) g = {.weight = 0, .velocity = velocity};
    }
    for (Group& g : groups_) g.weight = anchor_ + g.own;
  }
  static double gradient(std::size_t group) { return 1 + static_cast<double>(group * group); }
  const Group& operator[](int group) const { return groups_[static_cast<std::size_t>(group)]; }
  double outer_velocity() const { return outer_; }

 private:
  void receive() {
    if (!has_sent_) return;
    outer_ = settings_.outer_momentum * outer_ + sent_;
    anchor_ += settings_.outer_learning_rate * (sent_ + settings_.outer_momentum * outer_);
    sent_ = 0;
    has_sent_ = false;
  }

  std::vector<Group> groups_;
  LocalSettings settings_;
  double anchor_ = 0;
  double outer_ = 0;
  double sent_ = 0;
  bool has_sent_ = false;
};

TEST(LocalAveraging, FollowsItsFormula) {
  MpiCommunicator comm;
  const ParameterLayout layout{Topology{.inputs = 70, .hidden = {50, 30}, .classes = 4}};
  const Range trained = layout.finetuning_range();
  for (const Precision precision : {Precision::kFloat32, Precision::kBfloat16}) {
    // Two ranks a group at most, so that ranks of a group share their updates.
    const int ranks_of_group = comm.size() % 2 == 0 && comm.size() > 2 ? 2 : 1;
    const Index groups = comm.size() / ranks_of_group;
    const LocalSettings local{
        .groups = groups, .steps = 3, .outer_learning_rate = 0.75, .outer_momentum = 0.5};
    GradientAveraging averaging(layout,
                                {.strategy = Averaging::kLocal,
                                 .products = precision,
                                 .gradient = precision,
                                 .optimizer = {.momentum = 0.5},
                                 .local = local},
                                comm);
    EXPECT_EQ(averaging.groups(), groups);
    averaging.broadcast_from_root();
    averaging.part(trained);
    const int group = comm.rank() / ranks_of_group;
    Model model(static_cast<std::size_t>(groups), local);
    const Index updates = 3 * kAveragesToMeet + 4;
    SumsOfSteps sums;
    for (Index update = 1; update <= updates; ++update) {
      averaging.start_step({.learning_rate = 0.25f}, 0);
      averaging.reduce_sums({.loss = 1, .errors = 2, .samples = 3});
      const auto gradient =
          static_cast<float>(Model::gradient(static_cast<std::size_t>(group)) / ranks_of_group);
      for (Index begin = trained.begin; begin < trained.end; begin += 301) {
        const Range bucket{begin, std::min(begin + 301, trained.end)};
        const auto memory = averaging.memory(bucket);
        std::ranges::fill(memory.values, gradient);
        std::ranges::fill(memory.rounded, static_cast<bfloat16>(gradient));
        averaging.ready(bucket);
      }
      StepSums step;
      const bool finite = averaging.finish_step(step);
      EXPECT_EQ(step.objective.samples, 3 * ranks_of_group) << "of the group alone";
      sums.add(step, finite);
      model.update(0.25, 0.5);
      const bool ends = update == updates;
      const bool completely = ends || update == 3 * kAveragesToMeet;
      EXPECT_EQ(averaging.meet(update, ends, sums), completely);
      if (update % 3 == 0 || ends) model.average(completely);
      const double largest = std::abs(model[group].weight);
      const double error = precision == Precision::kFloat32 ? 1e-5 : 1.0 / 128;
      for (const Index i : {trained.begin, trained.begin + 2000}) {
        const auto at = static_cast<std::size_t>(i);
        EXPECT_NEAR(averaging.parameters()[at], model[group].weight, error * largest) << update;
        if (!completely) continue;
        EXPECT_NEAR(averaging.slots()[0].values[at], model[group].velocity, error * 20);
        EXPECT_NEAR(averaging.slots()[1].values[at], model.outer_velocity(), error * largest);
      }
      if (completely) {
        EXPECT_EQ(sums.sums.objective.samples,
                  static_cast<double>(3 * comm.size()) * static_cast<double>(ends ? 4 : 24));
        EXPECT_EQ(sums.not_finite, 0);
        sums = {};
      }
      comm.barrier();
    }
    EXPECT_EQ(averaging.slots()[1].name, kOuterVelocitySlot);
    averaging.close();
  }
}

TEST(LocalAveraging, DealsOutMinibatchesByGroup) {
  MpiCommunicator comm;
  SeveralNodes nodes(comm);
  EXPECT_EQ(count_hosts(comm), 1);
  const Index hosts = count_hosts(nodes);
  EXPECT_EQ(hosts, comm.size() < 3 ? 1 : 2);
  const ParameterLayout layout{Topology{.inputs = 7, .hidden = {5}, .classes = 4}};
  GradientAveraging averaging(layout, {.strategy = Averaging::kLocal, .local = {.groups = hosts}},
                              nodes);
  // The ranks of a host, of which there are fewer on the first.
  const Index samples = 6 * comm.size();
  const int first = comm.size() / 3;
  const int here = hosts == 1 ? comm.size() : comm.rank() < first ? first : comm.size() - first;
  EXPECT_EQ(averaging.samples_of_group(samples), 6 * here);
  averaging.close();
  nodes.close();
}

struct LocalTraining : DistributedTraining {
  void SetUp() override {
    DistributedTraining::SetUp();
    configuration.averaging = Averaging::kLocal;
    configuration.local_groups = 2;
    configuration.local_steps = 2;
    configuration.batch_size = 6;  // Twelve at a time: eight updates an epoch, the last of two.
  }
  /// By this rank's group of `ranks` ranks alone, the first such that they do not overlap.
  TinyRun by_fewer(int ranks) {
    const std::unique_ptr<Communicator> some = comm.split(comm.rank() / ranks);
    Configuration own = configuration;
    own.run += "-fewer" + std::to_string(comm.rank() / ranks);
    TinyRun run = train_tiny(own, *some);
    some->close();
    return run;
  }
};

TEST_F(LocalTraining, OfTwoGroupsDoesNotDependOnTheirRanks) {
  const TinyRun all = train_tiny(configuration, comm);
  const TinyRun two = by_fewer(2);
  EXPECT_LT((all.parameters - two.parameters).cwiseAbs().maxCoeff(), 1e-5);
  if (!comm.is_root()) return;
  ASSERT_EQ(all.observer.epochs.size(), two.observer.epochs.size());
  for (std::size_t i = 0; i < all.observer.epochs.size(); ++i) {
    EXPECT_EQ(all.observer.epochs[i].samples, 86);
    EXPECT_NEAR(all.observer.epochs[i].loss, two.observer.epochs[i].loss,
                1e-5 * two.observer.epochs[i].loss);
  }
  EXPECT_NE(all.observer.summary.averaging.find("2 groups"), std::string::npos);
}

TEST_F(LocalTraining, LeavesAllRanksWithTheSameBits) {
  configuration.outer_momentum = 0.5;
  const TinyRun run = train_tiny(configuration, comm);
  Vector<float> of_root = run.parameters;
  comm.broadcast(std::as_writable_bytes(span_of(of_root)), 0);
  EXPECT_EQ(of_root, run.parameters);
  configuration.run += "-again";
  EXPECT_EQ(train_tiny(configuration, comm).parameters, run.parameters);
}

TEST_F(LocalTraining, CutWhereGroupsMeetAndResumedGivesTheSameBits) {
  configuration.local_steps = 1;
  configuration.batch_size = 2;  // 22 updates an epoch; groups meet after 8, 16 and all.
  for (const OptimizerKind optimizer : {OptimizerKind::kSgd, OptimizerKind::kAdam}) {
    configuration.optimizer = optimizer;
    configuration.weight_average = 0.9;
    configuration.run = folder.path() / ("whole" + std::to_string(static_cast<int>(optimizer)));
    const TinyRun whole = train_tiny(configuration, comm);
    configuration.run += "-cut";
    for (const Index updates : {29, 30, 9, 37}) {
      RunControl control{.resume = Resume::kAuto, .stop_after_steps = updates};
      const TinyRun part = train_tiny(configuration, comm, control);
      EXPECT_TRUE(part.result.stopped);
      const Index in_epoch = part.result.step % 22;
      EXPECT_TRUE(in_epoch == 0 || in_epoch == 8 || in_epoch == 16) << part.result.step;
    }
    const TinyRun rest = train_tiny(configuration, comm, {.resume = Resume::kAuto});
    EXPECT_EQ(rest.parameters, whole.parameters);
  }
}

TEST_F(LocalTraining, GoesOnWithTheGroupsItBeganWith) {
  RunControl control{.resume = Resume::kAuto, .stop_after_steps = 8};
  train_tiny(configuration, comm, control);
  configuration.local_groups.reset();  // One host, but two groups.
  const TinyRun rest = train_tiny(configuration, comm, {.resume = Resume::kAuto});
  if (comm.is_root()) {
    EXPECT_NE(rest.observer.summary.averaging.find("2 groups"), std::string::npos);
  }
  comm.barrier();
  configuration.averaging = Averaging::kAuto;
  if (!comm.is_root()) return;
  EXPECT_THROW(
      check_resumable(recorded_configuration(rest.observer.summary.settings), configuration, 2),
      UsageError);
}

TEST_F(LocalTraining, OfJointlyTrainedLayersWithLabelsDrawnBesidesLeavesNoGroupBehind) {
  configuration.normalization = Normalization::kBatch;
  configuration.finetune = Finetune::kJoint;
  configuration.labelled = 20;
  configuration.labelled_batch = 4;
  configuration.optimizer = OptimizerKind::kAdam;
  configuration.finetune_learning_rate = 0.01;
  configuration.batch_size = 5;  // The last of the epoch leaves groups with few samples.
  const TinyRun all = train_tiny(configuration, comm);
  EXPECT_TRUE(all.parameters.allFinite());
  const TinyRun two = by_fewer(2);
  EXPECT_LT((all.parameters - two.parameters).cwiseAbs().maxCoeff(), 1e-3);
}

TEST_F(LocalTraining, AGroupMayHaveNoPartInTheLastMinibatch) {
  configuration.batch_size = 85;  // One sample is left of 86 after groups of 85 in all.
  configuration.local_groups = 1;
  const TinyRun one = train_tiny(configuration, comm);
  EXPECT_TRUE(one.parameters.allFinite());
  configuration.local_groups = comm.size();
  configuration.batch_size = 1;
  configuration.normalization = Normalization::kBatch;
  configuration.finetune = Finetune::kClassify;
  configuration.run += "-each";
  EXPECT_TRUE(train_tiny(configuration, comm).parameters.allFinite());
}

TEST_F(LocalTraining, AStopAskedOfOneRankStopsAllWhereTheyMeet) {
  RunControl control;
  control.stop_requested = [this, asked = 0]() mutable {
    return ++asked == 3 && comm.rank() == comm.size() - 1;
  };
  const TinyRun run = train_tiny(configuration, comm, control);
  EXPECT_TRUE(run.result.stopped);
  EXPECT_EQ(run.result.step, 8);  // The epoch's last.
}

TEST_F(LocalTraining, ANaNInTheGradientOfOneRankEndsAllWhereTheyMeet) {
  expect_all_end_by_nan(2, "step 8");
}

TEST_F(LocalTraining, OfMoreGroupsThanRanksIsRefused) {
  configuration.local_groups = comm.size() + 1;
  EXPECT_THROW(train_tiny(configuration, comm), UsageError);
}

}  // namespace
}  // namespace sae
