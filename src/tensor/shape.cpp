#include "tensor/shape.hpp"

#include "base/error.hpp"
#include "base/text.hpp"

namespace wan {

Shape::Shape(std::initializer_list<std::int64_t> extents) {
  for (const std::int64_t extent : extents) append(extent);
}

void Shape::append(std::int64_t extent) {
  if (rank_ == max_rank) throw Error(ExitCode::data, cat("a tensor has at most ", max_rank, " axes"));
  if (extent < 0)
    throw Error(ExitCode::data, cat("a tensor cannot have ", extent, " elements along an axis"));
  extents_[static_cast<std::size_t>(rank_++)] = extent;
}

std::int64_t Shape::elements() const {
  std::int64_t product = 1;
  for (int axis = 0; axis < rank_; ++axis) {
    if (__builtin_mul_overflow(product, (*this)[axis], &product)) {
      throw Error(ExitCode::data, cat("shape ", text(), " has more than 2^63 elements"));
    }
  }
  return product;
}

std::string Shape::text() const {
  std::string out = "[";
  for (int axis = 0; axis < rank_; ++axis) out += (axis == 0 ? "" : ", ") + std::to_string((*this)[axis]);
  return out + "]";
}

}  // namespace wan
