#pragma once
#include "device/ops/check/check_text.hpp"
#include "device/text_ops.hpp"

namespace wan {

/// What every body of TextOps derives from: each op is held to its contract, then run.
class CheckedTextOps : public TextOps {
 public:
  void gather_rows(const GatherRows& a) final { checked(a); }
  void biased_attention(const BiasedAttention& a) final { checked(a); }
  void gated_gelu(const GatedGelu& a) final { checked(a); }

 protected:
  explicit CheckedTextOps(FloatStorage storage = FloatStorage::fp32_bf16) : storage_(storage) {}

  virtual void run(const GatherRows& a) = 0;
  virtual void run(const BiasedAttention& a) = 0;
  virtual void run(const GatedGelu& a) = 0;

 private:
  template <class Arguments>
  void checked(const Arguments& a) {
    check(a, storage_);
    run(a);
  }

  FloatStorage storage_;
};

}  // namespace wan
