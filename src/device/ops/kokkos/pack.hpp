#pragma once
#include <Kokkos_Core.hpp>
#include <cstdint>
#include <cstring>
#include <type_traits>

#include "device/ops/kokkos/storage.hpp"

// Several neighbouring columns at a time, for a GPU: one load of 16 bytes each (two for fp32). A kernel that
// is written for a column c as `auto` works on packs of columns as well.
namespace wan::kernels {

/// Columns first .. first + width - 1; `first` is a multiple of the width. `slot` counts the packs that a
/// lane holds.
template <int width>
struct Columns {
  std::int64_t first;
  int slot = 0;
};

/// The values of such columns. Arithmetic goes element by element, as does what takes a pack and a float.
template <int width>
struct Pack {
  float value[width];
};

/// Element i of a pack; a float is the same everywhere.
template <int width>
KOKKOS_FORCEINLINE_FUNCTION float part(const Pack<width>& pack, int i) {
  return pack.value[i];
}
KOKKOS_FORCEINLINE_FUNCTION float part(float value, int) {
  return value;
}

/// body(0), …, body(width - 1) as a pack, in registers.
template <int width, class Body>
KOKKOS_FORCEINLINE_FUNCTION Pack<width> make_pack(const Body& body) {
  Pack<width> out;
#pragma unroll
  for (int i = 0; i < width; ++i) out.value[i] = body(i);
  return out;
}

template <int width, class Other>
KOKKOS_FORCEINLINE_FUNCTION Pack<width> operator+(const Pack<width>& a, const Other& b) {
  return make_pack<width>([&](int i) { return a.value[i] + part(b, i); });
}
template <int width>
KOKKOS_FORCEINLINE_FUNCTION Pack<width> operator+(float a, const Pack<width>& b) {
  return b + a;
}
template <int width, class Other>
KOKKOS_FORCEINLINE_FUNCTION Pack<width> operator-(const Pack<width>& a, const Other& b) {
  return make_pack<width>([&](int i) { return a.value[i] - part(b, i); });
}
template <int width, class Other>
KOKKOS_FORCEINLINE_FUNCTION Pack<width> operator*(const Pack<width>& a, const Other& b) {
  return make_pack<width>([&](int i) { return a.value[i] * part(b, i); });
}
template <int width>
KOKKOS_FORCEINLINE_FUNCTION Pack<width> operator*(float a, const Pack<width>& b) {
  return b * a;
}
template <int width>
KOKKOS_FORCEINLINE_FUNCTION Pack<width> operator/(const Pack<width>& a, const Pack<width>& b) {
  return make_pack<width>([&](int i) { return a.value[i] / b.value[i]; });
}
template <int width>
KOKKOS_FORCEINLINE_FUNCTION Pack<width>& operator+=(Pack<width>& a, const Pack<width>& b) {
  return a = a + b;
}

/// What function(element) is for each element.
template <class Function>
KOKKOS_FORCEINLINE_FUNCTION float each_part(float value, const Function& function) {
  return function(value);
}
template <int width, class Function>
KOKKOS_FORCEINLINE_FUNCTION Pack<width> each_part(const Pack<width>& pack, const Function& function) {
  return make_pack<width>([&](int i) { return function(pack.value[i]); });
}

/// The sum of a pack, in pairs.
template <int width>
KOKKOS_FORCEINLINE_FUNCTION float total(const Pack<width>& pack) {
  if constexpr (width == 1) {
    return pack.value[0];
  } else {
    return total(make_pack<width / 2>([&](int i) { return pack.value[i] + pack.value[i + width / 2]; }));
  }
}

/// Memory of a pack, which the compiler moves as a whole.
template <class T, int width>
struct alignas(sizeof(T) * width < 16 ? sizeof(T) * width : 16) StoredPack {
  T value[width];
};
/// bf16 by two, since a GPU's registers have 32 bits and each half on its own costs an instruction more.
template <int width>
struct alignas(2 * width < 16 ? 2 * width : 16) StoredPack<bf16, width> {
  std::uint32_t pair[width / 2];
};

template <class T, int width>
KOKKOS_FORCEINLINE_FUNCTION StoredPack<T, width> raw(const T* at, Columns<width> c) {
  return *reinterpret_cast<const StoredPack<T, width>*>(at + c.first);
}

template <class T, int width>
KOKKOS_FORCEINLINE_FUNCTION Pack<width> wide(const StoredPack<T, width>& stored) {
  return make_pack<width>([&](int i) { return load(stored.value, i); });
}
KOKKOS_FORCEINLINE_FUNCTION float float_of_bits(std::uint32_t bits) {
  float out;
  std::memcpy(&out, &bits, sizeof out);
  return out;
}
template <int width>
KOKKOS_FORCEINLINE_FUNCTION Pack<width> wide(const StoredPack<bf16, width>& stored) {
  return make_pack<width>([&](int i) {
    const std::uint32_t pair = stored.pair[i / 2];
    return float_of_bits(i % 2 == 0 ? pair << 16 : pair & 0xffff0000U);
  });
}

template <class T, int width>
KOKKOS_FORCEINLINE_FUNCTION Pack<width> load(const T* at, Columns<width> c) {
  return wide(raw(at, c));
}

/// Two numbers rounded to bf16, the first in the lower half.
KOKKOS_FORCEINLINE_FUNCTION std::uint32_t bf16_pair(float first, float second) {
#if defined(__CUDA_ARCH__)
  std::uint32_t out;
  asm("cvt.rn.bf16x2.f32 %0, %1, %2;" : "=r"(out) : "f"(second), "f"(first));
  return out;
#else
  return to_bf16(first).bits | std::uint32_t{to_bf16(second).bits} << 16;
#endif
}

template <class T, int width>
KOKKOS_FORCEINLINE_FUNCTION StoredPack<T, width> narrow(const Pack<width>& pack) {
  StoredPack<T, width> stored;
  if constexpr (std::is_same_v<T, bf16>) {
#pragma unroll
    for (int i = 0; i < width / 2; ++i) stored.pair[i] = bf16_pair(pack.value[2 * i], pack.value[2 * i + 1]);
  } else {
#pragma unroll
    for (int i = 0; i < width; ++i) store(stored.value, i, pack.value[i]);
  }
  return stored;
}

template <class T, int width>
KOKKOS_FORCEINLINE_FUNCTION void store(T* at, Columns<width> c, const StoredPack<T, width>& pack) {
#if defined(__CUDA_ARCH__)
  // The compiler takes an array apart; four words of a vector it stores together.
  if constexpr (sizeof pack % sizeof(uint4) == 0) {
    constexpr int pieces = static_cast<int>(sizeof pack / sizeof(uint4));
    uint4 piece[pieces];
    std::memcpy(piece, &pack, sizeof pack);
#pragma unroll
    for (int i = 0; i < pieces; ++i) reinterpret_cast<uint4*>(at + c.first)[i] = piece[i];
    return;
  }
#endif
  *reinterpret_cast<StoredPack<T, width>*>(at + c.first) = pack;
}
template <class T, int width>
KOKKOS_FORCEINLINE_FUNCTION void store(T* at, Columns<width> c, const Pack<width>& pack) {
  store(at, c, narrow<T>(pack));
}

}  // namespace wan::kernels
