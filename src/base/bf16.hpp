#pragma once
#include <cstdint>
#include <cstring>

#include "base/host_device.hpp"

namespace wan {

/// bfloat16: the upper half of an IEEE float32. Storage only; arithmetic is done in float.
struct bf16 {
  std::uint16_t bits = 0;
};

[[nodiscard]] WAN_HOST_DEVICE inline float to_float(bf16 value) noexcept {
  const std::uint32_t wide = static_cast<std::uint32_t>(value.bits) << 16;
  float out;
  std::memcpy(&out, &wide, sizeof out);
  return out;
}

[[nodiscard]] WAN_HOST_DEVICE inline float to_float(float value) noexcept {
  return value;
}

/// Rounds to nearest, ties to even; NaN stays NaN (quiet), overflow becomes infinity.
[[nodiscard]] WAN_HOST_DEVICE inline bf16 to_bf16(float value) noexcept {
  std::uint32_t wide;
  std::memcpy(&wide, &value, sizeof wide);
  if ((wide & 0x7fffffffU) > 0x7f800000U) return {static_cast<std::uint16_t>((wide >> 16) | 0x40U)};
  wide += 0x7fffU + ((wide >> 16) & 1U);
  return {static_cast<std::uint16_t>(wide >> 16)};
}

/// IEEE binary16 bits widened to float (subnormals included).
[[nodiscard]] float half_to_float(std::uint16_t bits) noexcept;

/// Rounds to nearest even into IEEE binary16 bits.
[[nodiscard]] std::uint16_t float_to_half(float value) noexcept;

}  // namespace wan
