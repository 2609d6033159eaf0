#pragma once
#include <cuda_runtime_api.h>

#include <memory>
#include <string>

#include "device/cuda/nccl_watch.hpp"
#include "device/device_groups.hpp"

namespace wan {

/// GPUs meet by NCCL.
class NcclGroups final : public DeviceGroups {
 public:
  /// `compute` is what the default Stream stands for; `identity` names the GPU.
  NcclGroups(cudaStream_t compute, std::string identity)
      : compute_(compute), identity_(std::move(identity)), watch_(std::make_shared<NcclWatch>()) {}

  void open() override;
  [[nodiscard]] std::string identity() const override { return identity_; }
  [[nodiscard]] std::string new_id() override;
  [[nodiscard]] std::unique_ptr<DeviceCollectives> join(const std::string& id, int rank, int size) override;
  [[nodiscard]] bool holds(const void* memory) const override;

  [[nodiscard]] NcclWatch& watch() { return *watch_; }

 private:
  cudaStream_t compute_;
  std::string identity_;
  std::shared_ptr<NcclWatch> watch_;
};

}  // namespace wan
