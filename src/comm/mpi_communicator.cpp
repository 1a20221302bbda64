#include "sae/comm/mpi_communicator.hpp"

#include <fmt/format.h>
#include <mpi.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <limits>
#include <numeric>
#include <thread>
#include <utility>

#include "check.hpp"
#include "direct_sum.hpp"
#include "handle.hpp"
#include "sae/core/error.hpp"

namespace sae {
namespace {

// A barrier polls before it sleeps: most waits are short.
constexpr int kPollsBeforeSleep = 1000;
constexpr std::chrono::microseconds kSleep{200};

/// Throws: CommunicationError if the length does not fit MPI's int.
template <typename Size>
int count_of(Size length, const char* call) {
  if (std::cmp_greater(length, std::numeric_limits<int>::max())) {
    throw CommunicationError(fmt::format("{} cannot move {} elements in one call.", call, length));
  }
  return static_cast<int>(length);
}

/// Requires: the size fits int, as in_messages ensures.
template <typename T>
int count_of(std::span<T> message) {
  return static_cast<int>(message.size());
}

/// Calls send(message) for consecutive messages of at most `most_bytes`; at least once, because the
/// partner waits for an empty message too.
template <typename T, typename Send>
void in_messages(std::span<T> values, std::size_t most_bytes, const Send& send) {
  const std::size_t most = std::max<std::size_t>(1, most_bytes / sizeof(T));
  do {
    const auto message = values.first(std::min(most, values.size()));
    send(message);
    values = values.subspan(message.size());
  } while (!values.empty());
}

std::unique_ptr<MpiCommunicator::Handle> copy_of_world() {
  auto handle = std::make_unique<MpiCommunicator::Handle>();
  check_mpi(MPI_Comm_dup(MPI_COMM_WORLD, &handle->communicator), "MPI_Comm_dup");
  return handle;
}

/// Counts and displacements of a buffer for MPI_Ialltoallv, in records.
struct BufferLayout {
  BufferLayout(std::span<const Index> lengths, const char* call) {
    counts.reserve(lengths.size());
    displacements.reserve(lengths.size());
    Index begin = 0;
    for (const Index length : lengths) {
      counts.push_back(count_of(length, call));
      displacements.push_back(count_of(begin, call));
      begin += length;
    }
  }
  std::vector<int> counts;
  std::vector<int> displacements;
};

struct ExchangeMemory {
  std::vector<std::byte> sent;
  BufferLayout sent_layout;
  BufferLayout received_layout;
  std::vector<std::byte> received;
  MPI_Datatype record = MPI_DATATYPE_NULL;  // An int counts more records than bytes.
  MPI_Request request = MPI_REQUEST_NULL;
};

/// Owns the memory that MPI reads and writes until the request completes.
class MpiPendingExchange final : public PendingExchange {
 public:
  explicit MpiPendingExchange(std::unique_ptr<ExchangeMemory> memory)
      : memory_(std::move(memory)) {}
  MpiPendingExchange(const MpiPendingExchange&) = delete;
  MpiPendingExchange& operator=(const MpiPendingExchange&) = delete;
  ~MpiPendingExchange() override {
    // A destructor must not wait for other ranks, and a collective cannot be cancelled.
    if (memory_->request != MPI_REQUEST_NULL) static_cast<void>(memory_.release());
  }

  bool poll() override {
    int done = 0;
    check_mpi(MPI_Test(&memory_->request, &done, MPI_STATUS_IGNORE), "MPI_Test");
    return done != 0;
  }

  std::vector<std::byte> wait() override {
    check_mpi(MPI_Wait(&memory_->request, MPI_STATUS_IGNORE), "MPI_Wait");
    check_mpi(MPI_Type_free(&memory_->record), "MPI_Type_free");
    return std::move(memory_->received);
  }

 private:
  std::unique_ptr<ExchangeMemory> memory_;
};

/// Likewise.
template <typename T>
class MpiPendingSum final : public PendingSum<T> {
 public:
  MpiPendingSum(Vector<T> values, Index count, MPI_Comm communicator, int tag)
      : memory_(std::make_unique<Memory>(std::move(values), count, communicator, tag)) {}
  MpiPendingSum(const MpiPendingSum&) = delete;
  MpiPendingSum& operator=(const MpiPendingSum&) = delete;
  ~MpiPendingSum() override {
    if (!memory_->sum.is_complete()) static_cast<void>(memory_.release());
  }

  bool poll() override { return memory_->sum.poll(); }
  Vector<T> wait() override {
    memory_->sum.wait();
    return std::move(memory_->values);
  }

 private:
  struct Memory {
    Memory(Vector<T> given, Index count, MPI_Comm communicator, int tag)
        : values(std::move(given)),
          sum({values.data(), static_cast<std::size_t>(count_of(count, "MPI_Isend"))}, communicator,
              tag) {}

    Vector<T> values;
    DirectSum<T> sum;
  };

  std::unique_ptr<Memory> memory_;
};

}  // namespace

MpiCommunicator::MpiCommunicator(std::size_t longest_message)
    : MpiCommunicator(copy_of_world(), longest_message) {}

MpiCommunicator::MpiCommunicator(std::unique_ptr<Handle> handle, std::size_t longest_message)
    : handle_(std::move(handle)), longest_message_(longest_message) {
  const MPI_Comm communicator = handle_->communicator;
  // The default handler kills the job before an exception can exist.
  check_mpi(MPI_Comm_set_errhandler(communicator, MPI_ERRORS_RETURN), "MPI_Comm_set_errhandler");
  check_mpi(MPI_Comm_rank(communicator, &rank_), "MPI_Comm_rank");
  check_mpi(MPI_Comm_size(communicator, &size_), "MPI_Comm_size");
}

void MpiCommunicator::close() {
  if (handle_->communicator == MPI_COMM_NULL) return;
  check_mpi(MPI_Comm_free(&handle_->communicator), "MPI_Comm_free");
}

// MPI_Comm_free is collective, so it is in close(); MPI_Finalize frees what is left.
MpiCommunicator::~MpiCommunicator() = default;

template <typename T, typename Kind>
void MpiCommunicator::sum_in_messages(std::span<T> values, Kind type) {
  in_messages(values, longest_message_, [&](std::span<T> part) {
    check_mpi(MPI_Allreduce(MPI_IN_PLACE, part.data(), count_of(part), type, MPI_SUM,
                            handle_->communicator),
              "MPI_Allreduce");
  });
}

void MpiCommunicator::allreduce_sum(std::span<float> values) { sum_in_messages(values, MPI_FLOAT); }

void MpiCommunicator::allreduce_sum(std::span<double> values) {
  sum_in_messages(values, MPI_DOUBLE);
}

void MpiCommunicator::allreduce_sum(std::span<bfloat16> values) {
  in_messages(values, longest_message_, [&](std::span<bfloat16> part) {
    DirectSum<bfloat16>(part, handle_->communicator, next_sum_tag()).wait();
  });
}

std::unique_ptr<PendingSum<float>> MpiCommunicator::start_allreduce_sum(Vector<float> values,
                                                                        Index count) {
  return std::make_unique<MpiPendingSum<float>>(std::move(values), count, handle_->communicator,
                                                next_sum_tag());
}

std::unique_ptr<PendingSum<bfloat16>> MpiCommunicator::start_allreduce_sum(Vector<bfloat16> values,
                                                                           Index count) {
  return std::make_unique<MpiPendingSum<bfloat16>>(std::move(values), count, handle_->communicator,
                                                   next_sum_tag());
}

int MpiCommunicator::next_sum_tag() {
  constexpr int kSumsInFlight = 16000;  // Far more than there are; MPI allows tags up to 32,767.
  sums_ = (sums_ + 1) % kSumsInFlight;
  return 1 + 2 * sums_;  // 0 is that of send and receive.
}

std::unique_ptr<Communicator> MpiCommunicator::split(int color) {
  auto handle = std::make_unique<Handle>();
  check_mpi(MPI_Comm_split(handle_->communicator, color, rank_, &handle->communicator),
            "MPI_Comm_split");
  return std::unique_ptr<MpiCommunicator>(new MpiCommunicator(std::move(handle), longest_message_));
}

std::unique_ptr<MpiCommunicator> MpiCommunicator::ranks_of_node() const {
  auto handle = std::make_unique<Handle>();
  check_mpi(MPI_Comm_split_type(handle_->communicator, MPI_COMM_TYPE_SHARED, rank_, MPI_INFO_NULL,
                                &handle->communicator),
            "MPI_Comm_split_type");
  return std::unique_ptr<MpiCommunicator>(new MpiCommunicator(std::move(handle), longest_message_));
}

void MpiCommunicator::broadcast(std::span<std::byte> bytes, int root) {
  in_messages(bytes, longest_message_, [&](std::span<std::byte> part) {
    check_mpi(MPI_Bcast(part.data(), count_of(part), MPI_BYTE, root, handle_->communicator),
              "MPI_Bcast");
  });
}

std::vector<std::string> MpiCommunicator::allgather(const std::string& text) {
  const int length = count_of(text.size(), "MPI_Allgather");
  std::vector<int> lengths(static_cast<std::size_t>(size_));
  check_mpi(MPI_Allgather(&length, 1, MPI_INT, lengths.data(), 1, MPI_INT, handle_->communicator),
            "MPI_Allgather");
  const std::vector<Index> counts(lengths.begin(), lengths.end());
  const BufferLayout parts(counts, "MPI_Allgatherv");
  std::string all(static_cast<std::size_t>(std::accumulate(counts.begin(), counts.end(), Index{0})),
                  '\0');
  check_mpi(MPI_Allgatherv(text.data(), length, MPI_CHAR, all.data(), parts.counts.data(),
                           parts.displacements.data(), MPI_CHAR, handle_->communicator),
            "MPI_Allgatherv");
  std::vector<std::string> texts;
  for (std::size_t r = 0; r < lengths.size(); ++r) {
    texts.push_back(all.substr(static_cast<std::size_t>(parts.displacements[r]),
                               static_cast<std::size_t>(lengths[r])));
  }
  return texts;
}

std::unique_ptr<PendingExchange> MpiCommunicator::start_exchange(
    std::vector<std::byte> send, std::size_t record_bytes, std::span<const Index> send_counts,
    std::span<const Index> receive_counts) {
  constexpr const char* kCall = "MPI_Ialltoallv";
  const auto records = std::accumulate(receive_counts.begin(), receive_counts.end(), Index{0});
  auto memory = std::make_unique<ExchangeMemory>(ExchangeMemory{
      .sent = std::move(send),
      .sent_layout = BufferLayout(send_counts, kCall),
      .received_layout = BufferLayout(receive_counts, kCall),
      .received = std::vector<std::byte>(static_cast<std::size_t>(records) * record_bytes)});
  check_mpi(MPI_Type_contiguous(count_of(record_bytes, kCall), MPI_BYTE, &memory->record),
            "MPI_Type_contiguous");
  check_mpi(MPI_Type_commit(&memory->record), "MPI_Type_commit");
  ExchangeMemory& own = *memory;
  check_mpi(
      MPI_Ialltoallv(own.sent.data(), own.sent_layout.counts.data(),
                     own.sent_layout.displacements.data(), own.record, own.received.data(),
                     own.received_layout.counts.data(), own.received_layout.displacements.data(),
                     own.record, handle_->communicator, &own.request),
      kCall);
  return std::make_unique<MpiPendingExchange>(std::move(memory));
}

void MpiCommunicator::barrier() {
  MPI_Request request = MPI_REQUEST_NULL;
  check_mpi(MPI_Ibarrier(handle_->communicator, &request), "MPI_Ibarrier");
  for (int done = 0, looks = 0;; ++looks) {
    check_mpi(MPI_Test(&request, &done, MPI_STATUS_IGNORE), "MPI_Test");
    if (done != 0) return;
    if (looks >= kPollsBeforeSleep) std::this_thread::sleep_for(kSleep);
  }
}

void MpiCommunicator::swap_with(std::span<const std::byte> send, std::span<std::byte> receive,
                                int partner) {
  const auto part_of = [this](auto bytes, std::size_t begin) {
    const std::size_t first = std::min(begin, bytes.size());
    return bytes.subspan(first, std::min(longest_message_, bytes.size() - first));
  };
  const std::size_t longer = std::max(send.size(), receive.size());
  for (std::size_t begin = 0; begin == 0 || begin < longer; begin += longest_message_) {
    const auto out = part_of(send, begin);
    const auto in = part_of(receive, begin);
    check_mpi(MPI_Sendrecv(out.data(), count_of(out), MPI_BYTE, partner, 0, in.data(), count_of(in),
                           MPI_BYTE, partner, 0, handle_->communicator, MPI_STATUS_IGNORE),
              "MPI_Sendrecv");
  }
}

void MpiCommunicator::send(std::span<const std::byte> bytes, int to) {
  in_messages(bytes, longest_message_, [&](std::span<const std::byte> part) {
    check_mpi(MPI_Send(part.data(), count_of(part), MPI_BYTE, to, 0, handle_->communicator),
              "MPI_Send");
  });
}

void MpiCommunicator::receive(std::span<std::byte> bytes, int from) {
  in_messages(bytes, longest_message_, [&](std::span<std::byte> part) {
    check_mpi(MPI_Recv(part.data(), count_of(part), MPI_BYTE, from, 0, handle_->communicator,
                       MPI_STATUS_IGNORE),
              "MPI_Recv");
  });
}

}  // namespace sae
