#pragma once
#include <cudnn.h>

#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

#include "device/ops/kokkos/workspace.hpp"

// cuDNN's graphs by its C interface: the headers of cudnn-frontend take 40 s to compile.
namespace wan::cuda {

/// Throws CommError "[what] cuDNN: …" unless `status` is success.
void check(cudnnStatus_t status, const char* what);

/// Owns one of cuDNN's descriptions: attributes are set, then it is finished and used by others.
class CudnnPart {
 public:
  explicit CudnnPart(cudnnBackendDescriptorType_t kind);
  ~CudnnPart();
  CudnnPart(CudnnPart&& other) noexcept : handle_(std::exchange(other.handle_, nullptr)) {}
  CudnnPart& operator=(CudnnPart&& other) noexcept {
    std::swap(handle_, other.handle_);
    return *this;
  }
  CudnnPart(const CudnnPart&) = delete;
  CudnnPart& operator=(const CudnnPart&) = delete;

  /// `type` is cuDNN's name of Value.
  template <class Value>
  void set(cudnnBackendAttributeName_t name, cudnnBackendAttributeType_t type, const Value& value) {
    set(name, type, 1, &value);
  }
  void set(cudnnBackendAttributeName_t name, const std::vector<std::int64_t>& values);
  void set(cudnnBackendAttributeName_t name, const CudnnPart& part);
  void set(cudnnBackendAttributeName_t name, cudnnBackendAttributeType_t type, std::int64_t count,
           const void* values);
  void finish();
  /// False where cuDNN cannot do what is described.
  [[nodiscard]] bool try_finish();

  [[nodiscard]] cudnnBackendDescriptor_t handle() const { return handle_; }

 private:
  cudnnBackendDescriptor_t handle_ = nullptr;
};

/// A tensor of a graph.
struct CudnnTensor {
  std::int64_t number;  ///< by which its memory is named
  cudnnDataType_t type;
  std::vector<std::int64_t> dims;
  std::vector<std::int64_t> strides;
  bool inner = false;  ///< between operations, without memory
};
[[nodiscard]] CudnnPart described(const CudnnTensor& tensor);

/// Memory of a graph's tensors, by number.
using CudnnMemory = std::vector<std::pair<std::int64_t, void*>>;

/// How many ways to run a graph cuDNN's heuristics are asked for.
inline constexpr std::int64_t cudnn_proposals = 8;

/// A graph that can run.
class CudnnPlan {
 public:
  /// The operations as the heuristics' proposal number `proposal` does them; 0 is what they hold for the
  /// fastest. None where it cannot be done so or there are fewer proposals. The same from the same library.
  [[nodiscard]] static std::optional<CudnnPlan> build(cudnnHandle_t handle,
                                                      const std::vector<CudnnPart>& operations,
                                                      std::int64_t proposal);

  /// With the handle it was built with.
  void run(cudnnHandle_t handle, Workspace& workspace, const CudnnMemory& memory) const;

 private:
  explicit CudnnPlan(CudnnPart plan);

  CudnnPart plan_;
  std::int64_t scratch_bytes_ = 0;
};

}  // namespace wan::cuda
