#include <cmath>

#include "device/ops/ref/activation.hpp"
#include "device/ops/ref/dense.hpp"
#include "device/ops/ref/ref_ops.hpp"

namespace wan {

using ref::Dense;

void RefOps::run(const Cast& a) {
  ref::write(a.y, ref::read(a.x));
}

void RefOps::run(const Axpby& a) {
  Dense y = ref::read(a.x);
  for (double& value : y.value) value *= static_cast<double>(a.a);
  if (a.b != 0) {
    const Dense before = ref::read(a.y);
    for (std::size_t i = 0; i < y.value.size(); ++i) y.value[i] += static_cast<double>(a.b) * before.value[i];
  }
  ref::write(a.y, y);
}

void RefOps::run(const ActivationForward& a) {
  Dense y = ref::read(a.x);
  for (double& value : y.value) value = ref::activate(a.activation, value);
  ref::write(a.y, y);
}

void RefOps::run(const ActivationBackward& a) {
  const Dense x = ref::read(a.x);
  Dense dx = ref::read(a.dy);
  for (std::size_t i = 0; i < dx.value.size(); ++i)
    dx.value[i] *= ref::activation_slope(a.activation, x.value[i]);
  ref::write(a.dx, dx);
}

void RefOps::run(const AddRowVector& a) {
  Dense out = ref::read(a.rows);
  const Dense vector = ref::read(a.vector);
  for (std::int64_t m = 0; m < out.rows; ++m) {
    for (std::int64_t j = 0; j < out.cols; ++j) out(m, j) += vector[j];
  }
  ref::write(a.out, out);
}

void RefOps::run(const SumRows& a) {
  const Dense x = ref::read(a.x);
  Dense sum(a.out.rows(), a.out.cols());
  for (std::int64_t m = 0; m < x.rows; ++m) {
    for (std::int64_t j = 0; j < x.cols; ++j) sum[j] += x(m, j);
  }
  ref::add(a.out, sum);
}

void RefOps::run(const TimestepEmbedding& a) {
  const Dense timestep = ref::read(a.timestep);
  Dense out(a.out.rows(), a.out.cols());
  const std::int64_t half = out.cols / 2;
  for (std::int64_t m = 0; m < out.rows; ++m) {
    for (std::int64_t k = 0; k < half; ++k) {
      const double frequency = std::pow(10000.0, -static_cast<double>(k) / static_cast<double>(half));
      out(m, k) = std::cos(timestep[m] * frequency);
      out(m, half + k) = std::sin(timestep[m] * frequency);
    }
  }
  ref::write(a.out, out);
}

}  // namespace wan
