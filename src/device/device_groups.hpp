#pragma once
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "device/device.hpp"
#include "tensor/tensor.hpp"

namespace wan {

enum class Reduce { sum, max, min };

/// A tensor to hand to a peer, or to fill from one.
struct Transfer {
  int peer = 0;
  Tensor tensor;
};

/// One rank's seat in a group of ranks whose devices move data among themselves. All ranks call the same
/// operations in the same order. Tensors are dense and on the device; `counts` has the elements of each
/// rank's part. An operation begins when what stands in `after` so far is done, runs on a stream of the
/// group's own, and returns at once, with an event that is valid while the object lives: whoever reads the
/// result, or writes the arguments, waits for it first. Sums are formed in the tensor's dtype in an order
/// that the library chooses; max and min of NaN are undefined. Errors: CommError, from the call or from
/// whatever waits for the device later; the group is of no use after one.
class DeviceCollectives {
 public:
  virtual ~DeviceCollectives() = default;

  virtual Event all_reduce(const Tensor& data, Reduce op, Stream after) = 0;
  /// Fast where parts are equal, but for a last one that may be a little larger.
  virtual Event reduce_scatter(const Tensor& in, const Tensor& out, const std::vector<std::int64_t>& counts,
                               Reduce op, Stream after) = 0;
  /// As fast as reduce_scatter.
  virtual Event all_gather(const Tensor& in, const Tensor& out, const std::vector<std::int64_t>& counts,
                           Stream after) = 0;
  virtual Event broadcast(const Tensor& data, int root, Stream after) = 0;
  /// All of one call progress together, those of another call only after them.
  virtual Event exchange(const std::vector<Transfer>& sends, const std::vector<Transfer>& receives,
                         Stream after) = 0;

  /// Ends what is under way, whether peers come or not.
  virtual void abort() noexcept = 0;
};

/// How the devices of several ranks meet.
class DeviceGroups {
 public:
  virtual ~DeviceGroups() = default;

  /// Loads what meeting needs. Throws CommError naming what is missing.
  virtual void open() = 0;
  /// Names this rank's device among all of its machine, for people too: "NVIDIA H200 GPU-1b4e28ba…". A group
  /// has no room for two ranks of one device.
  [[nodiscard]] virtual std::string identity() const = 0;
  /// A name for a new group, made by one rank and told to the others. Bytes, zeros among them.
  [[nodiscard]] virtual std::string new_id() = 0;
  /// Collective over the `size` ranks of the group. Throws CommError, also if they do not all come.
  [[nodiscard]] virtual std::unique_ptr<DeviceCollectives> join(const std::string& id, int rank,
                                                                int size) = 0;
  /// Whether `memory` is the device's and not the host's.
  [[nodiscard]] virtual bool holds(const void* memory) const = 0;
};

}  // namespace wan
