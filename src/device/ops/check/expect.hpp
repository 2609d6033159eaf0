#pragma once
#include <cstdint>
#include <string>

#include "tensor/tensor.hpp"

namespace wan {

/// What a body accepts as element types. The reference also computes with fp64 storage everywhere, so that
/// its derivatives can be checked by finite differences.
enum class FloatStorage { fp32_bf16, fp32_bf16_fp64 };

/// The rules that op arguments are held to. Every failure is InternalError "[op] name: found …, allowed …".
class Expect {
 public:
  Expect(const char* op, FloatStorage storage) : op_(op), storage_(storage) {}

  /// [rows, cols], rows possibly strided.
  void matrix(const char* name, const Tensor& tensor, std::int64_t rows, std::int64_t cols) const;
  /// Dense with this many elements, any shape.
  void flat(const char* name, const Tensor& tensor, std::int64_t elements) const;
  void given(const char* name, const Tensor& tensor) const;

  /// fp32 or bf16.
  void storage(const char* name, const Tensor& tensor) const;
  /// fp32 (or fp64 where the body allows it).
  void fp32(const char* name, const Tensor& tensor) const;
  void dtype(const char* name, const Tensor& tensor, DType dtype) const;
  /// The dtype of `other`.
  void same(const char* name, const Tensor& tensor, const char* other_name, const Tensor& other) const;
  /// fp32 or the dtype of `other`.
  void fp32_or_same(const char* name, const Tensor& tensor, const char* other_name,
                    const Tensor& other) const;

  void equal(const char* name, std::int64_t found, std::int64_t allowed) const;
  void at_least(const char* name, std::int64_t found, std::int64_t allowed) const;
  void at_most(const char* name, std::int64_t found, std::int64_t allowed) const;
  void rule(bool holds, const char* name, const char* found, const char* allowed) const {
    if (!holds) fail(name, found, allowed);
  }
  [[noreturn]] void fail(const char* name, const std::string& found, const std::string& allowed) const;

 private:
  const char* op_;
  FloatStorage storage_;
};

}  // namespace wan
