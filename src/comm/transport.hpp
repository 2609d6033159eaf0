#pragma once
#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "comm/communicator.hpp"

namespace wan {

/// Bytes to or from a peer.
struct Parcel {
  int peer = 0;
  void* data = nullptr;
  std::int64_t bytes = 0;
};

/// Messages under way.
class Flight {
 public:
  virtual ~Flight() = default;
  virtual void land() = 0;
  virtual void abandon() noexcept = 0;
};

/// Moves bytes between the ranks of a group; the host collectives are written on top of it. Between two
/// ranks, messages of one tag match in the order in which they were started.
class Transport {
 public:
  /// Tags lie in [0, tags).
  static constexpr int tags = 32000;

  virtual ~Transport() = default;
  [[nodiscard]] virtual int rank() const = 0;
  [[nodiscard]] virtual int size() const = 0;
  /// Starts all sends and receives. No parcel is to or from this rank itself.
  [[nodiscard]] virtual std::unique_ptr<Flight> start(const std::vector<Parcel>& sends,
                                                      const std::vector<Parcel>& receives, int tag) = 0;
  [[nodiscard]] virtual std::unique_ptr<Flight> broadcast(void* data, std::int64_t bytes, int root,
                                                          int tag) = 0;
  virtual void barrier(int tag) = 0;
  [[nodiscard]] virtual std::unique_ptr<Transport> split(int color, int key) = 0;
  [[nodiscard]] virtual std::unique_ptr<Transport> duplicate(Waiting waiting) = 0;
  [[nodiscard]] virtual const void* native() const { return nullptr; }
};

/// One rank alone: nothing ever moves.
[[nodiscard]] std::unique_ptr<Transport> make_self_transport();

}  // namespace wan
