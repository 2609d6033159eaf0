#pragma once
#include <Kokkos_Core.hpp>
#include <cstddef>
#include <cstdint>
#include <type_traits>
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

/// An address in global memory that a GPU keeps: its compiler would work out the row's place anew for each
/// pack.
template <class T>
KOKKOS_FORCEINLINE_FUNCTION T* kept(T* at) {
#if defined(__CUDA_ARCH__)
  std::size_t address = __cvta_generic_to_global(at);
  asm("" : "+l"(address));
  return static_cast<T*>(__cvta_global_to_generic(address));
#else
  return at;
#endif
}

/// Where a kernel needs nothing.
struct Nothing {};

/// An element as it lies in memory, and its value.
template <class T>
KOKKOS_FORCEINLINE_FUNCTION T raw(const T* at, std::int64_t i) {
  return at[i];
}
template <class T>
KOKKOS_FORCEINLINE_FUNCTION float wide(T element) {
  return load(&element, 0);
}

/// What a kernel of elements reads, as it lies in memory.
template <class A, class B = Nothing, class C = Nothing, class D = Nothing>
struct Operands {
  A a;
  B b;
  C c{};
  D d{};
};

/// A row in memory as a function of the column.
template <class T>
struct RowView {
  const T* at;

  KOKKOS_FORCEINLINE_FUNCTION float operator()(std::int64_t c) const { return load(at, c); }
};

/// base + a row, such as the factor 1 + scale.
template <class Row>
struct RaisedRow {
  Row row;
  float base;

  template <class Column>
  KOKKOS_FORCEINLINE_FUNCTION auto operator()(const Column& c) const {
    return base + row(c);
  }
};

// Columns of a row that a thread of a GPU takes at once, so that it loads 16 bytes.
inline constexpr int pack_width = 8;

/// Bytes that a column takes of rows of these types.
template <class... T>
inline constexpr int bytes_of_column = (static_cast<int>(sizeof(T)) + ... + 0);

/// Whether matrices have one element type. Only such kernels are compiled for packs: models have no others.
template <class First, class... T>
inline constexpr bool uniform = (std::is_same_v<First, T> && ...);

/// Whether every row of the tensors given can be taken in packs of columns.
template <class... Tensors>
[[nodiscard]] bool in_packs(std::int64_t cols, const Tensors&... tensors) {
  const auto aligned = [](const Tensor& tensor) {
    return reinterpret_cast<std::uintptr_t>(tensor.data) % 16 == 0 &&
           tensor.row_stride * bytes_of(tensor.dtype) % 16 == 0;
  };
  return cols % pack_width == 0 && ((!tensors || aligned(tensors)) && ...);
}

/// Whether the elements from all of these on can be taken in packs of `width`.
template <int width, class... T>
[[nodiscard]] bool in_packs_of(const T*... first) {
  const auto aligned = [](const void* at, std::size_t bytes) {
    return reinterpret_cast<std::uintptr_t>(at) % (bytes < 16 ? bytes : 16) == 0;
  };
  return (aligned(first, width * sizeof(T)) && ...);
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
