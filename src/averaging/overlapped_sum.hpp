#pragma once

#include <deque>
#include <functional>
#include <memory>
#include <span>
#include <vector>

#include "sae/averaging/gradient_averaging.hpp"
#include "sae/comm/communicator.hpp"
#include "sae/model/flat_vectors.hpp"

namespace sae {

/// Sums parts of a gradient over ranks while the next ones are computed. Parts travel together in
/// messages that are worth their latency. All ranks add the same parts in the same order.
class OverlappedSum {
 public:
  /// `senders`: ranks of a host that send different parts at the same time. The communicator and
  /// `seconds` must outlive it.
  OverlappedSum(Communicator& comm, bool travels_rounded, int senders, UpdateSeconds& seconds)
      : comm_(comm),
        travels_rounded_(travels_rounded),
        message_elements_((Index{1} << 19) / senders),
        seconds_(seconds) {}

  /// Adds the sum of this rank's gradients of a part, each of its size; copies them.
  void add(Range part, const std::vector<GradientRef<float>>& gradients);

  /// Gives each part whose sum has arrived to use(part, sum), a span of either type. Local.
  template <typename Use>
  void poll(const Use& use) {
    while (!messages_.empty() && arrived(messages_.front())) give(use);
  }

  /// Waits for all parts, and gives them. Collective.
  template <typename Use>
  void finish(const Use& use) {
    send();
    while (!messages_.empty()) give(use);
  }

 private:
  struct Message {
    std::vector<Range> parts;
    Vector<float> values;  // One of the two.
    Vector<bfloat16> rounded;
    Index size = 0;
    std::unique_ptr<PendingSum<float>> sum;  // Likewise; holds the values meanwhile.
    std::unique_ptr<PendingSum<bfloat16>> rounded_sum;
  };

  void send();
  bool arrived(Message& message);
  void wait_for(Message& message);

  template <typename Use>
  void give(const Use& use) {
    Message message = std::move(messages_.front());
    messages_.pop_front();
    wait_for(message);
    std::size_t begin = 0;
    for (const Range part : message.parts) {
      const auto size = static_cast<std::size_t>(part.size());
      if (travels_rounded_) {
        use(part, std::span<const bfloat16>(message.rounded.data() + begin, size));
      } else {
        use(part, std::span<const float>(message.values.data() + begin, size));
      }
      begin += size;
    }
    message.parts.clear();
    message.size = 0;
    spare_.push_back(std::move(message));
  }

  Communicator& comm_;
  bool travels_rounded_;
  Index message_elements_;  // That are enough for a message.
  UpdateSeconds& seconds_;
  Message filling_;
  std::deque<Message> messages_;  // On their way, in the order in which they were sent.
  std::vector<Message> spare_;    // Their memory serves the next ones.
  Vector<float> sum_;
};

}  // namespace sae
