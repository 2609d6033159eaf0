#pragma once
#include "device/ops/kokkos/kokkos_text_ops.hpp"

namespace wan {

/// The CPU's body of TextOps: attention's products by oneDNN in fp32, everything else by our kernels.
class HostTextOps final : public KokkosTextOps {
 protected:
  using KokkosTextOps::run;
  void run(const BiasedAttention& a) override;
};

}  // namespace wan
