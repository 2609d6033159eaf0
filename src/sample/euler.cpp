#include "sample/euler.hpp"

#include "device/ops.hpp"

namespace wan {

void Euler::step(std::int64_t i, const Tensor& velocity, const Tensor& sample) {
  const auto at = static_cast<std::size_t>(i);
  device_.ops().axpby({grid_.sigma[at + 1] - grid_.sigma[at], velocity, 1.0F, sample});
}

}  // namespace wan
