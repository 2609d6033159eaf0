#pragma once
#include <Kokkos_Core.hpp>
#include <cstdint>
#if defined(WAN_CUDA_KERNELS)
#include <cuda_bf16.h>
#endif

#include "base/bf16.hpp"
#include "base/error.hpp"
#include "tensor/tensor.hpp"

// Element types of tensors inside kernels: loads widen to float, stores round.
namespace wan::kernels {

KOKKOS_FORCEINLINE_FUNCTION float load(const float* at, std::int64_t i) {
  return at[i];
}
KOKKOS_FORCEINLINE_FUNCTION float load(const std::uint8_t* at, std::int64_t i) {
  return static_cast<float>(at[i]);
}
KOKKOS_FORCEINLINE_FUNCTION float load(const bf16* at, std::int64_t i) {
  return to_float(at[i]);
}
KOKKOS_FORCEINLINE_FUNCTION void store(float* at, std::int64_t i, float value) {
  at[i] = value;
}
KOKKOS_FORCEINLINE_FUNCTION void store(bf16* at, std::int64_t i, float value) {
#if defined(__CUDA_ARCH__)
  at[i].bits = __bfloat16_as_ushort(__float2bfloat16_rn(value));  // one instruction
#else
  at[i] = to_bf16(value);
#endif
}

/// A matrix of a known element type.
template <class T>
struct Matrix {
  T* data;
  std::int64_t stride;

  KOKKOS_FORCEINLINE_FUNCTION T* row(std::int64_t r) const { return data + r * stride; }
};

template <class T>
[[nodiscard]] Matrix<T> matrix(const Tensor& tensor) {
  return {tensor.as<T>(), tensor.row_stride};
}

// What a thread of a GPU takes at once, so that it loads 16 bytes: columns of a row, elements of a flat
// range.
inline constexpr int pack_width = 8;
inline constexpr int element_pack = 4;

/// Whether every row of the tensors given can be taken in packs of columns.
template <class... Tensors>
[[nodiscard]] bool in_packs(std::int64_t cols, const Tensors&... tensors) {
  const auto aligned = [](const Tensor& tensor) {
    return reinterpret_cast<std::uintptr_t>(tensor.data) % 16 == 0 &&
           tensor.row_stride * bytes_of(tensor.dtype) % 16 == 0;
  };
  return cols % pack_width == 0 && ((!tensors || aligned(tensors)) && ...);
}

/// Whether the elements from all of these on can be taken in packs.
template <class... T>
[[nodiscard]] bool in_packs(const T*... first) {
  return ((reinterpret_cast<std::uintptr_t>(first) % (element_pack * sizeof(T)) == 0) && ...);
}

/// Calls body(Matrix<float or bf16>) by the tensor's dtype, which the op's check has seen.
template <class Body>
void with_storage(const Tensor& tensor, const Body& body) {
  if (tensor.dtype == DType::bf16) {
    body(matrix<bf16>(tensor));
  } else {
    body(matrix<float>(tensor));
  }
}

template <class Body>
void with_storage(const Tensor& first, const Tensor& second, const Body& body) {
  with_storage(first, [&](auto a) { with_storage(second, [&](auto b) { body(a, b); }); });
}

template <class Body>
void with_storage(const Tensor& first, const Tensor& second, const Tensor& third, const Body& body) {
  with_storage(first, second, [&](auto a, auto b) { with_storage(third, [&](auto c) { body(a, b, c); }); });
}

}  // namespace wan::kernels
