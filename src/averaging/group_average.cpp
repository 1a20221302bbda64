#include "group_average.hpp"

#include <algorithm>
#include <array>

#include "sae/core/partition.hpp"

namespace sae {
namespace {

/// The hosts of these ranks, and which of them is this rank's, in the order of their first ranks.
struct Hosts {
  int count = 0;
  int own = 0;
};

/// Collective.
Hosts hosts_of(Communicator& all) {
  const std::unique_ptr<Communicator> host = all.split_by_node();
  const int first = host->allgather_values(std::span<const int>(std::array{all.rank()}))[0];
  host->close();
  std::vector<int> firsts = all.allgather_values(std::span<const int>(std::array{first}));
  std::ranges::sort(firsts);
  firsts.erase(std::unique(firsts.begin(), firsts.end()), firsts.end());
  const auto own = std::ranges::lower_bound(firsts, first) - firsts.begin();
  return {static_cast<int>(firsts.size()), static_cast<int>(own)};
}

int group_of(Communicator& all, int groups) {
  const Hosts hosts = hosts_of(all);
  if (groups == hosts.count) return hosts.own;
  return static_cast<int>(part_that_holds({0, all.size()}, all.rank(), groups));
}

template <typename T>
auto widened(std::span<const T> values) {
  return Eigen::Map<const Vector<T>>(values.data(), static_cast<Index>(values.size()))
      .template cast<float>();
}

}  // namespace

Index count_hosts(Communicator& comm) { return hosts_of(comm).count; }

GroupAverage::GroupAverage(Communicator& all, const LocalSettings& settings, bool sends_bfloat16)
    : all_(all),
      settings_(settings),
      group_(all.split(group_of(all, static_cast<int>(settings.groups)))),
      leaders_(all.split(leads() ? 0 : 1)),
      ranks_(group_->allgather_values(std::span<const int>(std::array{all.rank()}))),
      share_(static_cast<float>(group_->size()) / static_cast<float>(all.size())),
      sum_(*leaders_, sends_bfloat16, 1, waits_) {}

Index GroupAverage::samples_of_group(Index samples) const {
  Index sum = 0;
  for (const int rank : ranks_) sum += part_of_range({0, samples}, rank, all_.size()).size();
  return sum;
}

void GroupAverage::broadcast(const std::vector<std::span<std::byte>>& arrays) {
  if (!leads()) return;
  for (const auto array : arrays) leaders_->broadcast(array, 0);
}

void GroupAverage::begin(Range trained, std::span<const float> parameters) {
  trained_ = trained;
  if (!leads()) return;
  anchor_ = Eigen::Map<const Vector<float>>(parameters.data() + trained.begin, trained.size());
  own_ = Vector<float>::Zero(trained.size());
}

void GroupAverage::average(std::span<float> parameters, std::span<float> velocity,
                           bool completely) {
  if (!leads()) return;
  Eigen::Map<Vector<float>> w(parameters.data() + trained_.begin, trained_.size());
  own_ = w - (anchor_ + own_);
  receive(velocity);
  send(own_);
  if (completely) {
    receive(velocity);
    own_.setZero();
  }
  w = anchor_ + own_;
}

void GroupAverage::send(const Eigen::Ref<const Vector<float>>& vector) {
  Vector<float> part = share_ * vector;
  sum_.add({0, part.size()}, {GradientRef<float>(part)});
  sum_.send();
}

void GroupAverage::receive(std::span<float> velocity) {
  const auto rate = static_cast<float>(settings_.outer_learning_rate);
  const auto momentum = static_cast<float>(settings_.outer_momentum);
  sum_.finish([&](Range part, auto sum) {
    const auto progress = widened(sum);
    auto anchor = anchor_.segment(part.begin, part.size());
    if (velocity.empty()) {
      anchor += rate * progress;
      return;
    }
    Eigen::Map<Vector<float>> v(velocity.data() + trained_.begin + part.begin, part.size());
    v = momentum * v + progress;
    anchor += rate * (progress + momentum * v);
  });
}

void GroupAverage::average_vector(std::span<float> vector) {
  if (!leads()) return;
  Eigen::Map<Vector<float>> values(vector.data() + trained_.begin, trained_.size());
  send(values);
  sum_.finish(
      [&](Range part, auto sum) { values.segment(part.begin, part.size()) = widened(sum); });
}

void GroupAverage::sum_over_groups(std::span<double> values) {
  if (!leads()) std::ranges::fill(values, 0.0);
  all_.allreduce_sum(values);
}

void GroupAverage::close() {
  leaders_->close();
  group_->close();
}

}  // namespace sae
