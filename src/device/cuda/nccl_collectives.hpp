#pragma once
#include <cuda_runtime_api.h>
#include <nccl.h>

#include <array>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "device/cuda/nccl.hpp"
#include "device/cuda/nccl_watch.hpp"
#include "device/device_groups.hpp"

namespace wan {

/// A seat in an NCCL communicator, on a stream of its own. All calls come from one thread.
class NcclCollectives final : public DeviceCollectives {
 public:
  /// Collective over `size` ranks. `compute` is what the default Stream stands for.
  NcclCollectives(const ncclUniqueId& id, int rank, int size, cudaStream_t compute,
                  std::shared_ptr<NcclWatch> watch);
  ~NcclCollectives() override;
  NcclCollectives(const NcclCollectives&) = delete;
  NcclCollectives& operator=(const NcclCollectives&) = delete;

  Event all_reduce(const Tensor& data, Reduce op, Stream after) override;
  Event reduce_scatter(const Tensor& in, const Tensor& out, const std::vector<std::int64_t>& counts,
                       Reduce op, Stream after) override;
  Event all_gather(const Tensor& in, const Tensor& out, const std::vector<std::int64_t>& counts,
                   Stream after) override;
  Event broadcast(const Tensor& data, int root, Stream after) override;
  Event exchange(const std::vector<Transfer>& sends, const std::vector<Transfer>& receives,
                 Stream after) override;
  void abort() noexcept override;

  /// Throws CommError, after an abort, if what was started has failed.
  void require_health();

 private:
  /// Enqueues what `calls` does as one group of NCCL's, after `after`. `calls` returns the first result that
  /// is none of success and in progress.
  Event enqueue(const char* what, Stream after, const std::function<ncclResult_t()>& calls);
  /// Waits until the communicator has taken in what it was asked to do.
  void settle(const char* what);
  [[noreturn]] void fail(const char* what, ncclResult_t result);
  void join(const ncclUniqueId& id);
  void leave() noexcept;

  const cuda::Nccl& nccl_;
  int rank_;
  int size_;
  cudaStream_t compute_;
  std::shared_ptr<NcclWatch> watch_;
  ncclComm_t comm_ = nullptr;
  cudaStream_t stream_ = nullptr;
  cudaEvent_t ready_ = nullptr;
  /// Ends of operations, a ring: whoever waits for one that was taken anew waits for a later operation of the
  /// same stream.
  std::array<cudaEvent_t, 256> done_{};
  std::size_t next_ = 0;
};

}  // namespace wan
