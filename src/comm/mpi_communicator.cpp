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
#include "element_type.hpp"
#include "handle.hpp"
#include "sae/core/error.hpp"
#include "sae/kernels/bfloat16.hpp"
#include "sum_algorithm.hpp"

namespace sae {
namespace {

// A barrier polls before it sleeps: most waits are short.
constexpr int kPollsBeforeSleep = 1000;
constexpr std::chrono::microseconds kSleep{200};
// Tags of sums; messages of send, receive and swap_with have 0.
constexpr int kFirstSumTag = 1;
constexpr int kSumsInFlight = 4096;

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

/// MPI_User_function for bfloat16: both += first.
void add_bfloat16(void* first, void* both, int* count, MPI_Datatype* /*type*/) {
  constexpr std::size_t kBlock = 1024;
  std::array<float, kBlock> sum;
  const auto size = static_cast<std::size_t>(*count);
  const auto* from = static_cast<const bfloat16*>(first);
  auto* to = static_cast<bfloat16*>(both);
  for (std::size_t begin = 0; begin < size; begin += kBlock) {
    const std::size_t length = std::min(kBlock, size - begin);
    const std::span block(sum.data(), length);
    widen({from + begin, length}, block);
    add_widened({to + begin, length}, block);
    round_to_bfloat16(block, {to + begin, length});
  }
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

/// An MPI request and the memory that MPI reads and writes until it completes. Memory::received is
/// the result.
template <typename Values, typename Memory>
class MpiPending final : public Pending<Values> {
 public:
  /// start(memory, request) makes the MPI call.
  template <typename Start>
  MpiPending(std::unique_ptr<Memory> memory, const Start& start) : memory_(std::move(memory)) {
    start(*memory_, &request_);
  }
  MpiPending(const MpiPending&) = delete;
  MpiPending& operator=(const MpiPending&) = delete;
  ~MpiPending() override {
    // A destructor must not wait for other ranks, and a collective cannot be cancelled.
    if (request_ != MPI_REQUEST_NULL) static_cast<void>(memory_.release());
  }

  bool poll() override {
    int done = 0;
    check_mpi(MPI_Test(&request_, &done, MPI_STATUS_IGNORE), "MPI_Test");
    return done != 0;
  }

  Values wait() override {
    check_mpi(MPI_Wait(&request_, MPI_STATUS_IGNORE), "MPI_Wait");
    memory_->done();
    return std::move(memory_->received);
  }

 private:
  std::unique_ptr<Memory> memory_;
  MPI_Request request_ = MPI_REQUEST_NULL;
};

struct ExchangeMemory {
  std::vector<std::byte> sent;
  BufferLayout sent_layout;
  BufferLayout received_layout;
  std::vector<std::byte> received;
  MPI_Datatype record = MPI_DATATYPE_NULL;  // An int counts more records than bytes.

  void done() { check_mpi(MPI_Type_free(&record), "MPI_Type_free"); }
};

template <typename T>
struct SumMemory {
  Vector<T> received;

  void done() {}
};

MPI_Op bfloat16_sum() {
  static const MPI_Op add = [] {
    MPI_Op op = MPI_OP_NULL;
    check_mpi(MPI_Op_create(add_bfloat16, 1, &op), "MPI_Op_create");
    return op;
  }();
  return add;
}

template <typename T>
MPI_Op sum_of() {
  return std::is_same_v<T, bfloat16> ? bfloat16_sum() : MPI_SUM;
}

}  // namespace

MpiCommunicator::MpiCommunicator(std::size_t longest_message, int most_direct)
    : MpiCommunicator(copy_of_world(), longest_message, most_direct) {}

MpiCommunicator::MpiCommunicator(std::unique_ptr<Handle> handle, std::size_t longest_message,
                                 int most_direct)
    : handle_(std::move(handle)), longest_message_(longest_message), most_direct_(most_direct) {
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

template <typename T>
void MpiCommunicator::sum_in_messages(std::span<T> values) {
  in_messages(values, longest_message_, [&](std::span<T> part) {
    check_mpi(MPI_Allreduce(MPI_IN_PLACE, part.data(), count_of(part), element_type<T>(),
                            sum_of<T>(), handle_->communicator),
              "MPI_Allreduce");
  });
}

void MpiCommunicator::allreduce_sum(std::span<float> values) { sum_in_messages(values); }

void MpiCommunicator::allreduce_sum(std::span<double> values) { sum_in_messages(values); }

void MpiCommunicator::allreduce_sum(std::span<bfloat16> values) { sum_in_messages(values); }

bool MpiCommunicator::exchanges_directly() {
  if (!direct_) {
    const auto node = ranks_of_node();
    int most_of_node = node->size();
    node->close();
    check_mpi(
        MPI_Allreduce(MPI_IN_PLACE, &most_of_node, 1, MPI_INT, MPI_MAX, handle_->communicator),
        "MPI_Allreduce");
    direct_ = size_ <= most_direct_ && (most_of_node == 1 || most_of_node == size_);
  }
  return *direct_;
}

template <typename T>
std::unique_ptr<PendingSum<T>> MpiCommunicator::start_sum(Vector<T> values, Index count) {
  if (exchanges_directly()) {
    const int tag = kFirstSumTag + 2 * (sums_started_++ % kSumsInFlight);
    return std::make_unique<DirectSum<T>>(std::move(values), count, handle_->communicator, tag);
  }
  auto memory = std::make_unique<SumMemory<T>>(SumMemory<T>{std::move(values)});
  return std::make_unique<MpiPending<Vector<T>, SumMemory<T>>>(
      std::move(memory), [&](SumMemory<T>& sum, MPI_Request* request) {
        const SumAlgorithm algorithm(size_, static_cast<std::size_t>(count) * sizeof(T));
        check_mpi(
            MPI_Iallreduce(MPI_IN_PLACE, sum.received.data(), count_of(count, "MPI_Iallreduce"),
                           element_type<T>(), sum_of<T>(), handle_->communicator, request),
            "MPI_Iallreduce");
      });
}

std::unique_ptr<PendingSum<float>> MpiCommunicator::start_allreduce_sum(Vector<float> values,
                                                                        Index count) {
  return start_sum(std::move(values), count);
}

std::unique_ptr<PendingSum<bfloat16>> MpiCommunicator::start_allreduce_sum(Vector<bfloat16> values,
                                                                           Index count) {
  return start_sum(std::move(values), count);
}

std::unique_ptr<PendingSum<double>> MpiCommunicator::start_allreduce_sum(Vector<double> values,
                                                                         Index count) {
  return start_sum(std::move(values), count);
}

std::unique_ptr<Communicator> MpiCommunicator::split(int color) {
  auto handle = std::make_unique<Handle>();
  check_mpi(MPI_Comm_split(handle_->communicator, color, rank_, &handle->communicator),
            "MPI_Comm_split");
  return std::unique_ptr<MpiCommunicator>(
      new MpiCommunicator(std::move(handle), longest_message_, most_direct_));
}

std::unique_ptr<MpiCommunicator> MpiCommunicator::ranks_of_node() const {
  auto handle = std::make_unique<Handle>();
  check_mpi(MPI_Comm_split_type(handle_->communicator, MPI_COMM_TYPE_SHARED, rank_, MPI_INFO_NULL,
                                &handle->communicator),
            "MPI_Comm_split_type");
  return std::unique_ptr<MpiCommunicator>(
      new MpiCommunicator(std::move(handle), longest_message_, most_direct_));
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
  return std::make_unique<MpiPending<std::vector<std::byte>, ExchangeMemory>>(
      std::move(memory), [&](ExchangeMemory& own, MPI_Request* request) {
        check_mpi(MPI_Ialltoallv(own.sent.data(), own.sent_layout.counts.data(),
                                 own.sent_layout.displacements.data(), own.record,
                                 own.received.data(), own.received_layout.counts.data(),
                                 own.received_layout.displacements.data(), own.record,
                                 handle_->communicator, request),
                  kCall);
      });
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
