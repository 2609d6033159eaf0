#pragma once
#include "device/ops/checked_frame_ops.hpp"
#include "device/ops/kokkos/workspace.hpp"

namespace wan {

/// The frame ops that are ours on every machine, as Kokkos kernels. Convolution is left to the class that
/// derives.
class KokkosFrameOps : public CheckedFrameOps {
 protected:
  void run(const FrameNorm& a) override;
  void run(const FrameMap& a) override;

  [[nodiscard]] Workspace& workspace() { return workspace_; }

 private:
  Workspace workspace_;
};

}  // namespace wan
