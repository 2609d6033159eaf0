#pragma once
#include <Kokkos_Core.hpp>
#include <cstdint>

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

template <class T, int width>
KOKKOS_FORCEINLINE_FUNCTION StoredPack<T, width> raw(const T* at, Columns<width> c) {
  return *reinterpret_cast<const StoredPack<T, width>*>(at + c.first);
}
template <class T, int width>
KOKKOS_FORCEINLINE_FUNCTION Pack<width> wide(const StoredPack<T, width>& stored) {
  return make_pack<width>([&](int i) { return load(stored.value, i); });
}

template <class T, int width>
KOKKOS_FORCEINLINE_FUNCTION Pack<width> load(const T* at, Columns<width> c) {
  return wide(raw(at, c));
}

template <class T, int width>
KOKKOS_FORCEINLINE_FUNCTION StoredPack<T, width> narrow(const Pack<width>& pack) {
  StoredPack<T, width> stored;
#pragma unroll
  for (int i = 0; i < width; ++i) store(stored.value, i, pack.value[i]);
  return stored;
}
#if defined(__CUDA_ARCH__)
/// Two at a time, one instruction.
template <>
KOKKOS_FORCEINLINE_FUNCTION StoredPack<bf16, pack_width> narrow<bf16, pack_width>(
    const Pack<pack_width>& pack) {
  StoredPack<bf16, pack_width> stored;
#pragma unroll
  for (int i = 0; i < pack_width; i += 2) {
    const __nv_bfloat162 two = __floats2bfloat162_rn(pack.value[i], pack.value[i + 1]);
    stored.value[i].bits = __bfloat16_as_ushort(two.x);
    stored.value[i + 1].bits = __bfloat16_as_ushort(two.y);
  }
  return stored;
}
#endif
template <class T, int width>
KOKKOS_FORCEINLINE_FUNCTION void store(T* at, Columns<width> c, const Pack<width>& pack) {
  *reinterpret_cast<StoredPack<T, width>*>(at + c.first) = narrow<T>(pack);
}

}  // namespace wan::kernels
