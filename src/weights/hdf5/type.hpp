#pragma once
#include <cstdint>
#include <string>

#include "base/bf16.hpp"
#include "tensor/dtype.hpp"

namespace wan::hdf5 {

/// Element types of our files, all little-endian. bf16 is a 2-byte IEEE-style float (sign bit 15,
/// exponent 7..14, mantissa 0..6, bias 127), which h5py shows as float32.
enum class Type : std::uint8_t { u8, i32, i64, u64, f16, bf16, f32, f64 };

[[nodiscard]] std::int64_t bytes_of(Type type);
[[nodiscard]] std::string name_of(Type type);
[[nodiscard]] Type type_of(DType dtype);
/// Throws InternalError for u64, which tensors do not have.
[[nodiscard]] DType dtype_of(Type type);

template <class T>
[[nodiscard]] constexpr Type type_for();
template <>
constexpr Type type_for<std::uint8_t>() {
  return Type::u8;
}
template <>
constexpr Type type_for<std::int32_t>() {
  return Type::i32;
}
template <>
constexpr Type type_for<std::int64_t>() {
  return Type::i64;
}
template <>
constexpr Type type_for<std::uint64_t>() {
  return Type::u64;
}
template <>
constexpr Type type_for<bf16>() {
  return Type::bf16;
}
template <>
constexpr Type type_for<float>() {
  return Type::f32;
}
template <>
constexpr Type type_for<double>() {
  return Type::f64;
}

}  // namespace wan::hdf5
