#pragma once
#include "device/ops/text.hpp"

namespace wan {

/// What the text encoder needs beside Ops, whose rules (device/ops.hpp) hold here too.
class TextOps {
 public:
  virtual ~TextOps() = default;

  virtual void gather_rows(const GatherRows& a) = 0;
  virtual void biased_attention(const BiasedAttention& a) = 0;
  virtual void gated_gelu(const GatedGelu& a) = 0;
};

}  // namespace wan
