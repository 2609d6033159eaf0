#pragma once
#include <cstdint>
#include <vector>

#include "base/philox.hpp"
#include "tensor/tensor.hpp"

namespace wan {

/// Standard normals: sample s fills out[offset[s] .. offset[s+1]) with normals 0, 1, 2, … of the stream
/// keys[s] (base/philox.hpp), so that a number depends on its place in its sample alone.
struct FillNormal {
  std::vector<RandomKey> keys;
  std::vector<std::int64_t> offset;  ///< n + 1 element offsets
  Tensor out;                        ///< flat, fp32
};

/// Rectified flow (Liu et al. 2023; Esser et al. 2024): noisy = (1 - sigma[s]) clean + sigma[s] noise,
/// target = noise - clean, per sample s. Flat tensors of offset[n] elements.
struct FlowMix {
  Tensor clean;                      ///< fp32 or bf16
  Tensor noise;                      ///< fp32
  std::vector<float> sigma;          ///< n, in [0, 1]
  std::vector<std::int64_t> offset;  ///< n + 1 element offsets
  Tensor noisy;                      ///< fp32 or bf16
  Tensor target;                     ///< fp32
};

/// loss[s] = weight[s] * sum over the sample of (prediction - target)^2 (fp32, written, on the device);
/// raw[s] the same without the weight. gradient = 2 weight[s] scale (prediction - target); skipped if not
/// given.
struct FlowLoss {
  Tensor prediction;                 ///< flat
  Tensor target;                     ///< flat, fp32
  std::vector<float> weight;         ///< n
  std::vector<std::int64_t> offset;  ///< n + 1 element offsets
  float scale = 1;
  Tensor loss;      ///< [n] fp32
  Tensor raw;       ///< [n] fp32
  Tensor gradient;  ///< flat, prediction's dtype; optional
};

}  // namespace wan
