#pragma once
#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

#include "device/device_groups.hpp"
#include "tensor/tensor.hpp"

namespace wan {

/// How a rank waits: `busy` polls without pause (lowest latency), `patient` sleeps between looks, for
/// background threads that must not take a core from the computation.
enum class Waiting { busy, patient };

class Work;
class CommBody;

/// A collective that was started. Its tensors belong to it until `wait` returns. Destroying it waits, except
/// while an exception unwinds: then peers may never come, so the operation is abandoned.
class Pending {
 public:
  Pending() = default;
  Pending(std::shared_ptr<CommBody> body, std::shared_ptr<Work> work);
  Pending(Pending&& other) noexcept = default;
  Pending& operator=(Pending&& other) noexcept;
  Pending(const Pending&) = delete;
  Pending& operator=(const Pending&) = delete;
  ~Pending();

  /// Work put on `stream` after this call sees the result. On host memory the call itself waits. Waiting for
  /// one operation also finishes the collectives of this communicator that were started before it.
  void wait(Stream stream = {});

 private:
  std::shared_ptr<CommBody> body_;
  std::shared_ptr<Work> work_;
  int exceptions_ = 0;
};

/// A group of ranks and the collectives among them; a value that shares its body. Default-constructed it is
/// the one rank alone, where every operation is local. Other bodies: world_communicator (MPI), dry_run
/// (threads), and on_device of either.
///
/// All ranks of the group call the same operations in the same order; one thread at a time uses a
/// communicator (`duplicate` gives a background thread its own). Tensors are dense and in host memory, or,
/// after on_device, all tensors of an operation on the device. Operations are asynchronous: on a device they
/// begin when what stands in `stream` is done; those on host memory ignore it because host ops have finished
/// when they return. Any dtype can be moved; reductions take fp32, fp64, bf16 and int64. Sums of host memory
/// are formed in rank order, fp32 in fp64 and bf16 in fp32, and rounded once: all ranks get the same bits,
/// and the same bits on every run. Sums of device memory are formed as DeviceCollectives says. Counts are
/// elements and may exceed 2^31. Errors: CommError with MPI's or NCCL's text; InternalError for tensors that
/// do not fit the operation.
class Communicator {
 public:
  Communicator();
  explicit Communicator(std::shared_ptr<CommBody> body) : body_(std::move(body)) {}

  [[nodiscard]] int rank() const;
  [[nodiscard]] int size() const;

  /// In place on `data`, which has the same number of elements on every rank.
  Pending all_reduce(const Tensor& data, Reduce op, Stream stream = {}) const;

  /// Part r of the reduced `in` to rank r. `in` is the parts one after the other. With `counts` (one per
  /// rank, the same on all) parts differ in size. `out` may be this rank's part of `in`.
  Pending reduce_scatter(const Tensor& in, const Tensor& out, Reduce op, Stream stream = {}) const;
  Pending reduce_scatter(const Tensor& in, const Tensor& out, const std::vector<std::int64_t>& counts,
                         Reduce op, Stream stream = {}) const;

  /// Every rank's `in` one after the other into `out`. `in` may be this rank's part of `out`.
  Pending all_gather(const Tensor& in, const Tensor& out, Stream stream = {}) const;
  Pending all_gather(const Tensor& in, const Tensor& out, const std::vector<std::int64_t>& counts,
                     Stream stream = {}) const;

  Pending broadcast(const Tensor& data, int root, Stream stream = {}) const;

  /// Part p of `in` to rank p, part p of `out` from rank p. Equal parts, or counts given: sent to each rank,
  /// received from each rank.
  Pending all_to_all(const Tensor& in, const Tensor& out, Stream stream = {}) const;
  Pending all_to_all(const Tensor& in, const std::vector<std::int64_t>& sent, const Tensor& out,
                     const std::vector<std::int64_t>& received, Stream stream = {}) const;

  /// Sends and receives that progress together. Only the ranks named take part; between two ranks messages
  /// match in the order in which both named them. On a device a later call's messages wait for an earlier
  /// call's: sends and receives that need one another go into one call.
  Pending exchange(const std::vector<Transfer>& sends, const std::vector<Transfer>& receives,
                   Stream stream = {}) const;

  /// Returns once every rank has called it.
  void barrier() const;

  /// The ranks that gave the same colour (>= 0), ordered by `key`, then by rank here. Collective.
  [[nodiscard]] Communicator split(int color, int key) const;
  /// The same ranks with messages of their own. Collective.
  [[nodiscard]] Communicator duplicate(Waiting waiting = Waiting::busy) const;

  /// The same ranks, reaching the memory of `device` too, which outlives the value and what is split from it.
  /// Where that is host memory, or there is one rank, it is this value. Collective; throws CommError on all
  /// ranks if two of them share a device or one cannot meet the others.
  [[nodiscard]] Communicator on_device(Device& device) const;

  /// For libraries that take the MPI handle: points to an MPI_Comm that this value owns, or null without MPI.
  [[nodiscard]] const void* native() const;

 private:
  std::shared_ptr<CommBody> body_;
};

}  // namespace wan
