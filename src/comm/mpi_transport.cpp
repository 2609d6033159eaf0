#include "comm/mpi_transport.hpp"

#include <mpi.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <string>
#include <thread>
#include <utility>

#include "base/error.hpp"
#include "base/text.hpp"
#include "comm/host_body.hpp"
#include "comm/transport.hpp"

namespace wan {
namespace {

/// MPI counts are int: longer parcels travel in pieces of this many bytes.
constexpr std::int64_t piece_bytes = std::int64_t{1} << 30;
constexpr std::chrono::microseconds patience(300);
using Clock = std::chrono::steady_clock;

/// MPI still knows buffers of abandoned messages; one flag per process, as MPI is.
std::atomic<bool> dangling{false};

void check_mpi(int status, const char* call) {
  if (status == MPI_SUCCESS) return;
  char text[MPI_MAX_ERROR_STRING];
  int length = 0;
  MPI_Error_string(status, text, &length);
  throw CommError(cat(call, ": ", std::string(text, static_cast<std::size_t>(length))));
}

/// Owns an MPI communicator whose errors are returned.
class OwnedComm {
 public:
  explicit OwnedComm(MPI_Comm comm) : comm_(comm) {
    check_mpi(MPI_Comm_set_errhandler(comm_, MPI_ERRORS_RETURN), "MPI_Comm_set_errhandler");
  }
  ~OwnedComm() {
    int finalized = 0;
    MPI_Finalized(&finalized);
    if (finalized == 0) MPI_Comm_free(&comm_);
  }
  OwnedComm(const OwnedComm&) = delete;
  OwnedComm& operator=(const OwnedComm&) = delete;
  [[nodiscard]] const MPI_Comm& get() const { return comm_; }

 private:
  MPI_Comm comm_;
};

class MpiFlight final : public Flight {
 public:
  explicit MpiFlight(Waiting waiting) : waiting_(waiting) {}

  /// Where the next request goes.
  MPI_Request* add() {
    requests_.push_back(MPI_REQUEST_NULL);
    return &requests_.back();
  }

  void land() override {
    const int count = static_cast<int>(requests_.size());
    if (waiting_ == Waiting::busy) {
      check_mpi(MPI_Waitall(count, requests_.data(), MPI_STATUSES_IGNORE), "MPI_Waitall");
      return;
    }
    for (;;) {
      int done = 0;
      check_mpi(MPI_Testall(count, requests_.data(), &done, MPI_STATUSES_IGNORE), "MPI_Testall");
      if (done != 0) return;
      std::this_thread::sleep_for(patience);
    }
  }

  void abandon() noexcept override {
    int finalized = 0;
    MPI_Finalized(&finalized);
    if (finalized != 0) return;
    // Mostly the peers did start the same operation, so it can still end well.
    for (const auto begin = Clock::now(); Clock::now() - begin < std::chrono::seconds(1);) {
      int done = 0;
      if (MPI_Testall(static_cast<int>(requests_.size()), requests_.data(), &done, MPI_STATUSES_IGNORE) !=
          MPI_SUCCESS) {
        break;
      }
      if (done != 0) return;
      std::this_thread::sleep_for(patience);
    }
    dangling = true;
    for (MPI_Request& request : requests_) {
      if (request != MPI_REQUEST_NULL) MPI_Cancel(&request);
    }
  }

 private:
  Waiting waiting_;
  std::vector<MPI_Request> requests_;
};

template <class Post>
void in_pieces(void* data, std::int64_t bytes, Post post) {
  for (std::int64_t done = 0; done < bytes; done += piece_bytes) {
    post(static_cast<std::byte*>(data) + done, static_cast<int>(std::min(piece_bytes, bytes - done)));
  }
}

class MpiTransport final : public Transport {
 public:
  MpiTransport(MPI_Comm comm, Waiting waiting) : comm_(comm), waiting_(waiting) {
    check_mpi(MPI_Comm_rank(comm_.get(), &rank_), "MPI_Comm_rank");
    check_mpi(MPI_Comm_size(comm_.get(), &size_), "MPI_Comm_size");
  }

  [[nodiscard]] int rank() const override { return rank_; }
  [[nodiscard]] int size() const override { return size_; }

  std::unique_ptr<Flight> start(const std::vector<Parcel>& sends, const std::vector<Parcel>& receives,
                                int tag) override {
    auto flight = std::make_unique<MpiFlight>(waiting_);
    for (const Parcel& parcel : receives) {
      in_pieces(parcel.data, parcel.bytes, [&](void* data, int bytes) {
        check_mpi(MPI_Irecv(data, bytes, MPI_BYTE, parcel.peer, tag, comm_.get(), flight->add()),
                  "MPI_Irecv");
      });
    }
    for (const Parcel& parcel : sends) {
      in_pieces(parcel.data, parcel.bytes, [&](void* data, int bytes) {
        check_mpi(MPI_Isend(data, bytes, MPI_BYTE, parcel.peer, tag, comm_.get(), flight->add()),
                  "MPI_Isend");
      });
    }
    return flight;
  }

  std::unique_ptr<Flight> broadcast(void* data, std::int64_t bytes, int root, int) override {
    auto flight = std::make_unique<MpiFlight>(waiting_);
    in_pieces(data, bytes, [&](void* piece, int length) {
      check_mpi(MPI_Ibcast(piece, length, MPI_BYTE, root, comm_.get(), flight->add()), "MPI_Ibcast");
    });
    return flight;
  }

  void barrier(int) override {
    MpiFlight flight(waiting_);
    check_mpi(MPI_Ibarrier(comm_.get(), flight.add()), "MPI_Ibarrier");
    flight.land();
  }

  std::unique_ptr<Transport> split(int color, int key) override {
    MPI_Comm part = MPI_COMM_NULL;
    check_mpi(MPI_Comm_split(comm_.get(), color, key, &part), "MPI_Comm_split");
    return std::make_unique<MpiTransport>(part, waiting_);
  }

  std::unique_ptr<Transport> duplicate(Waiting waiting) override {
    MPI_Comm copy = MPI_COMM_NULL;
    check_mpi(MPI_Comm_dup(comm_.get(), &copy), "MPI_Comm_dup");
    return std::make_unique<MpiTransport>(copy, waiting);
  }

  [[nodiscard]] const void* native() const override { return &comm_.get(); }

 private:
  OwnedComm comm_;
  Waiting waiting_;
  int rank_ = 0;
  int size_ = 1;
};

Communicator communicator_of(MPI_Comm comm) {
  return Communicator(make_host_body(std::make_unique<MpiTransport>(comm, Waiting::busy)));
}

}  // namespace

Communicator world_communicator() {
  int initialized = 0;
  MPI_Initialized(&initialized);
  if (initialized == 0) return Communicator();
  MPI_Comm copy = MPI_COMM_NULL;
  check_mpi(MPI_Comm_dup(MPI_COMM_WORLD, &copy), "MPI_Comm_dup");
  return communicator_of(copy);
}

bool messages_dangle() noexcept {
  return dangling;
}

Communicator node_communicator(const Communicator& world) {
  const auto* comm = static_cast<const MPI_Comm*>(world.native());
  if (comm == nullptr) return world.duplicate();
  MPI_Comm node = MPI_COMM_NULL;
  check_mpi(MPI_Comm_split_type(*comm, MPI_COMM_TYPE_SHARED, world.rank(), MPI_INFO_NULL, &node),
            "MPI_Comm_split_type");
  return communicator_of(node);
}

}  // namespace wan
