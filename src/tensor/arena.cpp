#include "tensor/arena.hpp"

#include <algorithm>

#include "base/error.hpp"
#include "base/text.hpp"

namespace wan {

Arena::Arena() : memory_(reinterpret_cast<std::byte*>(alignment)), capacity_(-1) {}

Arena::Arena(void* memory, std::int64_t bytes) : memory_(static_cast<std::byte*>(memory)), capacity_(bytes) {}

Tensor Arena::allocate(DType dtype, const Shape& shape) {
  const std::int64_t bytes = shape.elements() * bytes_of(dtype);
  const std::int64_t rounded = (bytes + alignment - 1) / alignment * alignment;
  if (!measuring() && used_ + rounded > capacity_) {
    throw InternalError(cat("[arena] ", shape.text(), " ", name_of(dtype), " needs ", rounded, " bytes, ",
                            capacity_ - used_, " of ", capacity_, " are left"));
  }
  Tensor out(memory_ + used_, dtype, shape);
  used_ += rounded;
  peak_ = std::max(peak_, used_);
  return out;
}

}  // namespace wan
