#include <fmt/format.h>

#include <array>
#include <atomic>
#include <cmath>

#include "averaging_strategies.hpp"
#include "sae/comm/mpi_communicator.hpp"
#include "sae/comm/node_memory.hpp"
#include "sae/core/error.hpp"
#include "sae/data/partition.hpp"
#include "sae/kernels/bfloat16.hpp"

namespace sae {
namespace {

/// The ranks of a node share one copy of parameters and optimizer state, and see each other's
/// gradients. Of every slice each of them owns a part: it sums that part over the gradients of its
/// node, then over the owners of the same part on other nodes, and updates it.
class NodeAveraging final : public GradientAveraging {
 public:
  NodeAveraging(const ParameterLayout& layout, const AveragingSettings& settings,
                MpiCommunicator& comm, std::unique_ptr<MpiCommunicator> node, int owners)
      : GradientAveraging(layout, settings, comm),
        node_(std::move(node)),
        same_place_(comm.split(node_->rank())),
        owners_(owners),
        shared_(comm, node_->rank() == 0 ? shared_bytes() : 0),
        gradients_(comm, gradient_bytes()) {
    place_shared(shared_.part(0));
    for (int r = node_->size() - 1; r >= 0; --r) {
      place_gradient(gradients_.part(r));
      if (!gradient_.empty()) node_gradients_.insert(node_gradients_.begin(), gradient_);
      if (!rounded_gradient_.empty()) {
        rounded_node_gradients_.insert(rounded_node_gradients_.begin(), rounded_gradient_);
      }
    }
    place_gradient(gradients_.part(node_->rank()));
  }

  void share_from_root() override {
    if (node_->rank() == 0) {
      same_place_->broadcast(std::as_writable_bytes(vectors_.parameters), 0);
      if (!vectors_.velocity.empty()) {
        same_place_->broadcast(std::as_writable_bytes(vectors_.velocity), 0);
      }
      round_parameters();
    }
    std::atomic_thread_fence(std::memory_order_seq_cst);
    comm_.barrier();
  }

  void reset_velocity() override {
    // Nobody updates before all have come to the next update.
    if (node_->rank() == 0) std::fill(vectors_.velocity.begin(), vectors_.velocity.end(), 0.0f);
  }

  bool sum_and_update(Range slice, StepSums& sums, const SgdStep& step) override {
    std::atomic_thread_fence(std::memory_order_seq_cst);
    sum_step(sums);  // Nobody gets a sum before all have written their gradients.
    if (!std::isfinite(sums.objective.loss)) return false;
    bool finite = true;
    if (node_->rank() < owners_) {
      const Range part = part_of_slice(slice);
      if (several_nodes_) {
        finite = sum_over_nodes_and_update(part, step);
      } else {
        finite = gradient_.empty() ? update_part<bfloat16>(part, rounded_node_gradients_, step)
                                   : update_part<float>(part, node_gradients_, step);
      }
    }
    std::atomic_thread_fence(std::memory_order_seq_cst);
    const SecondsScope timer(seconds_.reduction);
    std::array<double, 1> not_finite = {finite ? 0.0 : 1.0};
    comm_.allreduce_sum(not_finite);  // Nor reads parameters before all are updated.
    return not_finite[0] == 0;
  }

  std::string description() const override {
    return fmt::format("node, {} gradients",
                       settings_.gradient == Precision::kBfloat16 ? "bfloat16" : "float32");
  }

  void find_other_nodes() {
    std::array<double, 1> nodes = {node_->rank() == 0 ? 1.0 : 0.0};
    comm_.allreduce_sum(nodes);
    several_nodes_ = nodes[0] > 1;
  }

 private:
  /// Whole cache lines, of either type of element.
  Range part_of_slice(Range slice) const {
    constexpr Index kGrain = 2 * ParameterLayout::kAlignment;
    const Range grains =
        part_of_range({0, (slice.size() + kGrain - 1) / kGrain}, node_->rank(), owners_);
    return {std::min(slice.begin + grains.begin * kGrain, slice.end),
            std::min(slice.begin + grains.end * kGrain, slice.end)};
  }

  bool sum_over_nodes_and_update(Range part, const SgdStep& step) {
    const auto begin = static_cast<std::size_t>(part.begin);
    const auto size = static_cast<std::size_t>(part.size());
    sum_.resize(layout_.size());
    const std::span sum(sum_.data() + begin, size);
    std::fill(sum.begin(), sum.end(), 0.0f);
    {
      const SecondsScope timer(seconds_.update);
      for (const auto& gradient : rounded_node_gradients_) {
        add_widened(gradient.subspan(begin, size), sum);
      }
      for (const auto& gradient : node_gradients_) {
        for (std::size_t i = 0; i < size; ++i) sum[i] += gradient[begin + i];
      }
    }
    {
      const SecondsScope timer(seconds_.reduction);
      if (settings_.gradient == Precision::kBfloat16) {
        travelling_.resize(part.size());
        const std::span sent(travelling_.data(), size);
        round_to_bfloat16(sum, sent);
        same_place_->allreduce_sum(sent);
        widen(sent, sum);
      } else {
        same_place_->allreduce_sum(sum);
      }
    }
    const std::span<const float> whole(sum_.data(), static_cast<std::size_t>(sum_.size()));
    return update_part<float>(part, {whole}, step);
  }

  std::unique_ptr<MpiCommunicator> node_;        // The ranks of this node,
  std::unique_ptr<MpiCommunicator> same_place_;  // and those of the same place on all nodes.
  int owners_;  // Ranks of each node that own a part: as many as the smallest node has.
  bool several_nodes_ = false;
  NodeMemory shared_;
  NodeMemory gradients_;
  std::vector<std::span<const float>> node_gradients_;  // By rank of the node; one list is empty.
  std::vector<std::span<const bfloat16>> rounded_node_gradients_;
  Vector<float> sum_;
  Vector<bfloat16> travelling_;
};

}  // namespace

std::unique_ptr<GradientAveraging> make_node_averaging(const ParameterLayout& layout,
                                                       const AveragingSettings& settings,
                                                       Communicator& comm) {
  const bool by_name = settings.strategy == Averaging::kNode;
  auto* mpi = dynamic_cast<MpiCommunicator*>(&comm);
  if (mpi == nullptr) return nullptr;  // One rank: there is nothing to share.
  auto node = mpi->split_by_node();
  // Ranks of the smallest node, and bytes that the largest lacks, known to all.
  int smallest = node->size();
  bool lacking = false;
  const std::size_t elements = static_cast<std::size_t>(layout.size());
  const std::size_t needed = elements * (sizeof(float) * 2 + sizeof(bfloat16)) +
                             elements * sizeof(float) * static_cast<std::size_t>(node->size());
  const std::string own = fmt::format("{} {}", node->size(), NodeMemory::available() < needed);
  for (const std::string& text : comm.allgather(own)) {
    smallest = std::min(smallest, std::stoi(text));
    lacking |= text.ends_with("true");
  }
  if (lacking && by_name) {
    throw CommunicationError(fmt::format(
        "--averaging node needs {} MB of shared memory on each node, which one of them lacks; see "
        "the size of /dev/shm, or use --averaging flat.",
        needed >> 20));
  }
  if (lacking || (smallest == 1 && !by_name)) return nullptr;
  auto averaging =
      std::make_unique<NodeAveraging>(layout, settings, *mpi, std::move(node), smallest);
  averaging->find_other_nodes();
  return averaging;
}

}  // namespace sae
