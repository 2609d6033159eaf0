#include <cmath>

#include "device/ops/ref/dense.hpp"
#include "device/ops/ref/ref_ops.hpp"

namespace wan {

using ref::Dense;

void RefOps::run(const LayerNormForward& a) {
  const Dense x = ref::read(a.x);
  const Dense factor = ref::read(a.scale ? a.scale : a.weight);
  const Dense offset = ref::read(a.scale ? a.shift : a.bias);
  Dense y(x.rows, x.cols);
  Dense mean(x.rows, 1);
  Dense rstd(x.rows, 1);
  for (std::int64_t n = 0; n < x.rows; ++n) {
    const std::int64_t row = a.scale ? a.row_index.as<std::int32_t>()[n] : 0;
    for (std::int64_t c = 0; c < x.cols; ++c) mean[n] += x(n, c) / static_cast<double>(x.cols);
    double variance = 0;
    for (std::int64_t c = 0; c < x.cols; ++c) {
      variance += (x(n, c) - mean[n]) * (x(n, c) - mean[n]) / static_cast<double>(x.cols);
    }
    rstd[n] = 1 / std::sqrt(variance + static_cast<double>(a.eps));
    for (std::int64_t c = 0; c < x.cols; ++c) {
      const double normed = (x(n, c) - mean[n]) * rstd[n];
      y(n, c) = normed * (a.scale ? 1 + factor(row, c) : factor[c]) + (a.scale ? offset(row, c) : offset[c]);
    }
  }
  ref::write(a.y, y);
  if (a.mean) {
    ref::write(a.mean, mean);
    ref::write(a.rstd, rstd);
  }
}

void RefOps::run(const LayerNormBackward& a) {
  const Dense dy = ref::read(a.dy);
  const Dense x = ref::read(a.x);
  const Dense mean = ref::read(a.mean);
  const Dense rstd = ref::read(a.rstd);
  const Dense factor = ref::read(a.scale ? a.scale : a.weight);
  Dense dx(x.rows, x.cols);
  Dense dfactor(factor.rows, factor.cols);
  Dense doffset(factor.rows, factor.cols);
  for (std::int64_t n = 0; n < x.rows; ++n) {
    const std::int64_t at = a.scale ? a.row_index.as<std::int32_t>()[n] * x.cols : 0;
    double mean_g = 0;
    double mean_gx = 0;
    for (std::int64_t c = 0; c < x.cols; ++c) {
      const double normed = (x(n, c) - mean[n]) * rstd[n];
      const double g = dy(n, c) * ((a.scale ? 1 : 0) + factor[at + c]);
      mean_g += g / static_cast<double>(x.cols);
      mean_gx += g * normed / static_cast<double>(x.cols);
      dfactor[at + c] += dy(n, c) * normed;
      doffset[at + c] += dy(n, c);
    }
    for (std::int64_t c = 0; c < x.cols; ++c) {
      const double normed = (x(n, c) - mean[n]) * rstd[n];
      const double g = dy(n, c) * ((a.scale ? 1 : 0) + factor[at + c]);
      dx(n, c) = rstd[n] * (g - mean_g - normed * mean_gx);
    }
  }
  ref::add(a.dx, dx);
  const Tensor& to_factor = a.scale ? a.dscale : a.dweight;
  const Tensor& to_offset = a.scale ? a.dshift : a.dbias;
  if (to_factor) ref::add(to_factor, dfactor);
  if (to_offset) ref::add(to_offset, doffset);
}

void RefOps::run(const GatedResidualForward& a) {
  const Dense x = ref::read(a.x);
  const Dense y = ref::read(a.y);
  const Dense gate = a.gate ? ref::read(a.gate) : Dense();
  Dense out(x.rows, x.cols);
  for (std::int64_t n = 0; n < x.rows; ++n) {
    const std::int64_t row = a.gate ? a.row_index.as<std::int32_t>()[n] : 0;
    for (std::int64_t c = 0; c < x.cols; ++c) out(n, c) = x(n, c) + (a.gate ? gate(row, c) : 1) * y(n, c);
  }
  ref::write(a.out, out);
}

void RefOps::run(const GatedResidualBackward& a) {
  const Dense g = ref::read(a.g);
  const Dense y = a.dgate ? ref::read(a.y) : Dense(g.rows, g.cols);
  const Dense gate = ref::read(a.gate);
  Dense dy(g.rows, g.cols);
  Dense dgate(gate.rows, gate.cols);
  for (std::int64_t n = 0; n < g.rows; ++n) {
    const std::int64_t row = a.row_index.as<std::int32_t>()[n];
    for (std::int64_t c = 0; c < g.cols; ++c) {
      dy(n, c) = gate(row, c) * g(n, c);
      dgate(row, c) += g(n, c) * y(n, c);
    }
  }
  if (a.dy) ref::write(a.dy, dy);
  if (a.dgate) ref::add(a.dgate, dgate);
}

}  // namespace wan
