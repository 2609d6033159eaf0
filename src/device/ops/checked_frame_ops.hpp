#pragma once
#include "device/frame_ops.hpp"
#include "device/ops/check/check_frames.hpp"

namespace wan {

/// What every body of FrameOps derives from: each op is held to its contract, then run.
class CheckedFrameOps : public FrameOps {
 public:
  [[nodiscard]] std::unique_ptr<FrameConvWeight> prepare(const FrameConvGeometry& geometry, DType storage,
                                                         const float* weight, const float* bias) final {
    check(geometry, storage);
    return make(geometry, storage, weight, bias);
  }
  void conv(const FrameConv& a) final { checked(a); }
  void norm(const FrameNorm& a) final { checked(a); }
  void map(const FrameMap& a) final { checked(a); }

 protected:
  explicit CheckedFrameOps(FloatStorage storage = FloatStorage::fp32_bf16) : storage_(storage) {}

  virtual std::unique_ptr<FrameConvWeight> make(const FrameConvGeometry& geometry, DType storage,
                                                const float* weight, const float* bias) = 0;
  virtual void run(const FrameConv& a) = 0;
  virtual void run(const FrameNorm& a) = 0;
  virtual void run(const FrameMap& a) = 0;

 private:
  template <class Arguments>
  void checked(const Arguments& a) {
    check(a, storage_);
    run(a);
  }

  FloatStorage storage_;
};

}  // namespace wan
