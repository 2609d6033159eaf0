#include "model/walk.hpp"

#include "base/text.hpp"

namespace wan {

Tensor Walk::zeros(DType dtype, const Shape& shape) const {
  const Tensor out = tensor(dtype, shape);
  if (device_ != nullptr) device_->zero(out.data, out.bytes());
  return out;
}

void Walk::copy(const Tensor& to, const Tensor& from) const {
  if (device_ != nullptr) device_->copy(to.data, from.data, to.bytes());
}

void Walk::dump(std::string_view unit, std::string_view name, const Tensor& tensor) const {
  if (dumping()) observers_.dump->write(cat(unit, ".", name), tensor);
}

}  // namespace wan
