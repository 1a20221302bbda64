#pragma once

#include <memory>
#include <span>
#include <vector>

#include "overlapped_sum.hpp"
#include "sae/averaging/gradient_averaging.hpp"
#include "sae/comm/communicator.hpp"

namespace sae {

/// Averages what groups of ranks have learned by themselves since they last met: local SGD (Stich,
/// ICLR 2019) with an outer Nesterov step as in DiLoCo (Douillard et al., 2023), taken one interval
/// late, so that progress travels while the next updates are computed (as in CO2, Sun et al., ICLR
/// 2024). With the anchor a, the parameters w of a group, their progress p since the last average,
/// and the velocity v of the outer step, an average does
///
///   v <- mu v + mean p;  a <- a + rate (mean p + mu v);  w <- a + own progress not yet in a
///
/// where `mean p` is that of the interval before. A complete one waits for the last as well, and
/// then all groups have w = a. Work and memory are those of the first rank of each group.
class GroupAverage {
 public:
  /// Groups of neighbouring ranks; the ranks of each host if there are as many hosts as groups.
  /// Collective. Requires: at least as many ranks as groups.
  GroupAverage(Communicator& all, const LocalSettings& settings, bool sends_bfloat16);

  Communicator& group() { return *group_; }
  const LocalSettings& settings() const { return settings_; }
  /// Of a minibatch of all ranks, the samples of this group's ranks. Local.
  Index samples_of_group(Index samples) const;

  /// Copies arrays of rank 0 to the first rank of each group. Collective.
  void broadcast(const std::vector<std::span<std::byte>>& arrays);
  /// Takes the parameters, equal in all groups, as the anchor; `trained` is the range that updates
  /// change. Local.
  void begin(Range trained, std::span<const float> parameters);
  /// Moves on what travels. Local.
  void progress() { sum_.progress(); }
  /// Averages the trained range of the parameters. `velocity`: of the outer step, as long as they;
  /// empty if its momentum is 0.
  /// Collective.
  void average(std::span<float> parameters, std::span<float> velocity, bool completely);
  /// Replaces a vector's trained range by its mean over groups, as exact as it travels. Collective.
  void average_vector(std::span<float> vector);
  /// Adds up over groups, each of which gives the same on all its ranks. Collective.
  void sum_over_groups(std::span<double> values);

  void close();

 private:
  bool leads() const { return group_->is_root(); }
  /// Starts the sum over groups of this group's share of the vector. Local.
  void send(const Eigen::Ref<const Vector<float>>& vector);
  /// Takes the progress of all groups, if any is under way, into the anchor.
  void receive(std::span<float> velocity);

  Communicator& all_;
  LocalSettings settings_;
  std::unique_ptr<Communicator> group_;
  std::unique_ptr<Communicator> leaders_;  // Of the other ranks one of their own, not used.
  std::vector<int> ranks_;                 // Of this group.
  float share_;                            // Of this group in a mean: its part of all ranks.
  UpdateSeconds waits_;
  OverlappedSum sum_;
  Range trained_;
  Vector<float> anchor_;
  Vector<float> own_;  // Progress that is not in the anchor yet.
};

}  // namespace sae
