#pragma once
#include "device/ops/host/onednn_conv.hpp"
#include "device/ops/kokkos/kokkos_frame_ops.hpp"

namespace wan {

/// The CPU's body of FrameOps: convolutions by oneDNN, channels last, so that most channel counts run near
/// the CPU's peak; everything else by our kernels. bf16 is widened where the CPU has no fast bf16
/// convolutions.
class HostFrameOps final : public KokkosFrameOps {
 public:
  HostFrameOps();

 protected:
  using KokkosFrameOps::run;
  std::unique_ptr<FrameConvWeight> make(const FrameConvGeometry& geometry, DType storage, const float* weight,
                                        const float* bias) override;
  void run(const FrameConv& a) override;

 private:
  void run_plain(const FrameConv& a);
  void run_interleaved(const FrameConv& a);
  void run_enlarged(const FrameConv& a);

  host::OneDnnConv conv_;
  bool native_bf16_;
};

}  // namespace wan
