#pragma once
#include "device/ops/checked_text_ops.hpp"
#include "device/ops/kokkos/workspace.hpp"

namespace wan {

/// The text ops that are ours on every machine, as Kokkos kernels. Attention is left to the class that
/// derives.
class KokkosTextOps : public CheckedTextOps {
 protected:
  void run(const GatherRows& a) override;
  void run(const GatedGelu& a) override;

  [[nodiscard]] Workspace& workspace() { return workspace_; }

 private:
  Workspace workspace_;
};

}  // namespace wan
