#pragma once
#include <cstddef>
#include <cstdint>

#include "tensor/dtype.hpp"
#include "tensor/shape.hpp"

namespace wan {

/// A view of memory that somebody else owns (a Device's buffer, the arena, a mapped file). Copying it copies
/// the view. Elements are row-major; the fastest axis is dense; rows (all other axes flattened) lie
/// `row_stride` elements apart, which is cols() unless the view is a band of columns of a wider matrix.
struct Tensor {
  void* data = nullptr;
  DType dtype = DType::f32;
  Shape shape;
  std::int64_t row_stride = 0;

  Tensor() = default;
  Tensor(void* memory, DType type, const Shape& extents)
      : data(memory), dtype(type), shape(extents), row_stride(extents.rank() == 0 ? 1 : extents.back()) {}

  /// False for a default-constructed tensor, which stands for "not given" in optional arguments.
  [[nodiscard]] explicit operator bool() const { return data != nullptr; }

  [[nodiscard]] std::int64_t elements() const { return shape.elements(); }
  [[nodiscard]] std::int64_t cols() const { return shape.rank() == 0 ? 1 : shape.back(); }
  [[nodiscard]] std::int64_t rows() const { return cols() == 0 ? 0 : elements() / cols(); }
  [[nodiscard]] bool dense() const { return row_stride == cols(); }
  [[nodiscard]] std::int64_t bytes() const { return elements() * bytes_of(dtype); }

  /// Typed pointer to the first element. The caller has checked dtype.
  template <class T>
  [[nodiscard]] T* as() const {
    return static_cast<T*>(data);
  }

  /// Rows [begin, end) as a [end - begin, cols] matrix.
  [[nodiscard]] Tensor row_range(std::int64_t begin, std::int64_t end) const;
  /// Columns [begin, end) of every row: a [rows, end - begin] matrix with this one's row stride.
  [[nodiscard]] Tensor col_range(std::int64_t begin, std::int64_t end) const;
  /// The same dense memory under another shape with as many elements.
  [[nodiscard]] Tensor reshaped(const Shape& extents) const;
};

}  // namespace wan
