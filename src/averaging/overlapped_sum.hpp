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

/// Sums buckets over ranks while the objective computes the next ones. Cuts and collects them into
/// messages: small ones, because the sum of one travels back while the next is on its way, but
/// large enough for the block of each rank to be worth sending.
/// Requires: all ranks add the same buckets in the same order.
class OverlappedSum {
 public:
  /// `senders`: ranks of a host that send at the same time. The communicator and `seconds` must
  /// outlive it.
  OverlappedSum(Communicator& comm, bool sends_bfloat16, int senders, UpdateSeconds& seconds)
      : comm_(comm),
        sends_bfloat16_(sends_bfloat16),
        message_elements_(message_elements(comm.size(), senders)),
        seconds_(seconds) {}

  /// Adds a bucket: copies the sum of `gradients`, each of its size.
  void add(Range bucket, const std::vector<GradientRef<float>>& gradients);

  /// Calls use(part, sum) for each part of a bucket whose sum has arrived; `sum` is a span of
  /// floats or of bfloat16. Local.
  template <typename Use>
  void poll(const Use& use) {
    progress();
    while (!messages_.empty() && messages_.front().arrived) deliver(use);
  }

  /// Sends what was added, however little it is. Local.
  void send();
  /// Moves messages on, without delivering any. Local.
  void progress();

  /// As poll, and waits for all buckets. Collective.
  template <typename Use>
  void finish(const Use& use) {
    send();
    while (!messages_.empty()) poll(use);
  }

 private:
  struct Message {
    std::vector<Range> parts;  // Of buckets.
    Vector<float> values;      // Either these or `rounded`.
    Vector<bfloat16> rounded;
    Index size = 0;
    bool arrived = false;
    std::unique_ptr<PendingSum<float>> sum;  // Holds the values while they travel.
    std::unique_ptr<PendingSum<bfloat16>> rounded_sum;
  };

  static Index message_elements(int ranks, int senders);
  /// Adds the part of a bucket that these ranges say to the message that is being filled.
  void append(Range part, const std::vector<GradientRef<float>>& gradients, Range in_bucket);
  void take_sum(Message& message) const;

  template <typename Use>
  void deliver(const Use& use) {
    Message message = std::move(messages_.front());
    messages_.pop_front();
    take_sum(message);
    std::size_t begin = 0;
    for (const Range part : message.parts) {
      const auto size = static_cast<std::size_t>(part.size());
      if (sends_bfloat16_) {
        use(part, std::span<const bfloat16>(message.rounded.data() + begin, size));
      } else {
        use(part, std::span<const float>(message.values.data() + begin, size));
      }
      begin += size;
    }
    message.parts.clear();
    message.size = 0;
    message.arrived = false;
    spare_.push_back(std::move(message));
  }

  Communicator& comm_;
  bool sends_bfloat16_;
  Index message_elements_;  // A message is sent once it has as many.
  UpdateSeconds& seconds_;
  Message filling_;
  std::deque<Message> messages_;  // In flight, in the order of sending.
  std::vector<Message> spare_;    // Memory to reuse.
  Vector<float> sum_;
};

}  // namespace sae
