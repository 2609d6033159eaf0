#pragma once
#include <cuda_runtime_api.h>

#include <functional>
#include <mutex>
#include <vector>

namespace wan {

class NcclCollectives;

/// The groups that are open. While the host waits for the device it looks after them: a kernel whose peer is
/// gone would never end.
class NcclWatch {
 public:
  void add(NcclCollectives& group);
  void remove(NcclCollectives& group) noexcept;

  /// Returns once `query` no longer says cudaErrorNotReady, with what it says. Throws CommError when a group
  /// has failed; all groups are then aborted, so that the device comes to rest.
  [[nodiscard]] cudaError_t wait(const std::function<cudaError_t()>& query);
  /// No group is open: nothing can hold the device up.
  [[nodiscard]] bool empty() const;
  void abort_all() noexcept;

 private:
  void look();

  mutable std::mutex mutex_;
  std::vector<NcclCollectives*> groups_;
};

}  // namespace wan
