#include "device/cuda/nccl_groups.hpp"

#include <cstring>

#include "base/error.hpp"
#include "base/text.hpp"
#include "device/cuda/nccl.hpp"
#include "device/cuda/nccl_collectives.hpp"
#include "device/ops/cuda/status.hpp"

namespace wan {

void NcclGroups::open() {
  (void)cuda::nccl();
}

std::string NcclGroups::new_id() {
  ncclUniqueId id;
  const ncclResult_t result = cuda::nccl().get_unique_id(&id);
  if (result != ncclSuccess) throw CommError(cat("[new_id] ", cuda::nccl().describe(result)));
  return {id.internal, sizeof id.internal};
}

std::unique_ptr<DeviceCollectives> NcclGroups::join(const std::string& id, int rank, int size) {
  ncclUniqueId copy;
  if (id.size() != sizeof copy.internal) {
    throw InternalError(cat("[join] the id has ", id.size(), " bytes, NCCL's has ", sizeof copy.internal));
  }
  std::memcpy(copy.internal, id.data(), id.size());
  return std::make_unique<NcclCollectives>(copy, rank, size, compute_, watch_);
}

bool NcclGroups::holds(const void* memory) const {
  if (memory == nullptr) return false;
  cudaPointerAttributes attributes{};
  cuda::check(cudaPointerGetAttributes(&attributes, memory), "pointer");
  return attributes.type == cudaMemoryTypeDevice || attributes.type == cudaMemoryTypeManaged;
}

}  // namespace wan
