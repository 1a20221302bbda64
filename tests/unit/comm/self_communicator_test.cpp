#include "sae/comm/self_communicator.hpp"

#include <gtest/gtest.h>

#include <array>
#include <vector>

#include "sae/core/error.hpp"

namespace sae {
namespace {

TEST(SelfCommunicator, ExchangesWithItself) {
  SelfCommunicator comm;
  const std::vector<std::byte> sent = {std::byte{1}, std::byte{2}};
  const std::array<Index, 1> counts = {2};
  const auto pending = comm.start_exchange(sent, 1, counts, counts);
  EXPECT_TRUE(pending->poll());
  EXPECT_EQ(pending->wait(), sent);
}

TEST(SelfCommunicator, HasNobodyToSendTo) {
  SelfCommunicator comm;
  EXPECT_THROW(comm.send({}, 1), CommunicationError);
  EXPECT_THROW(comm.receive({}, 1), CommunicationError);
}

}  // namespace
}  // namespace sae
