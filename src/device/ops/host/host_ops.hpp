#pragma once
#include "device/ops/kokkos/kokkos_ops.hpp"

namespace wan {

/// The CPU's body: matrix products by oneDNN, in fp32 (bf16 operands are widened first, so that every CPU
/// computes the same way), everything else by our kernels.
class HostOps final : public KokkosOps {
 protected:
  using KokkosOps::run;
  void run(const LinearForward& a) override;
  void run(const LinearBackwardData& a) override;
  void run(const LinearBackwardWeight& a) override;

  void run(const AttentionForward& a) override;
  void run(const AttentionBackward& a) override;
};

}  // namespace wan
