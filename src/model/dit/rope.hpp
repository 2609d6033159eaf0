#pragma once
#include <cstdint>
#include <vector>

namespace wan {

/// Cosine and sine of place * frequency, [positions, head_dim / 2] each: column p belongs to pair p of a
/// head, whose axis and frequency follow device/ops/rms_norm_rope.hpp. Angles in fp64 (Wan2.1 model.py
/// rope_params).
struct RopeAngles {
  std::vector<float> cosine;
  std::vector<float> sine;
};

[[nodiscard]] RopeAngles rope_angles(std::int64_t positions, std::int64_t head_dim);

}  // namespace wan
