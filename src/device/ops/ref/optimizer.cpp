#include <algorithm>
#include <cmath>

#include "device/ops/ref/dense.hpp"
#include "device/ops/ref/ref_ops.hpp"

namespace wan {

using ref::Dense;

void RefOps::run(const AdamW& a) {
  const Dense gradient = ref::read(a.gradient);
  const double gradient_scale = ref::read(a.gradient_scale)[0];
  if (gradient_scale == 0) return;
  Dense m = ref::read(a.exp_avg);
  Dense v = ref::read(a.exp_avg_sq);
  Dense master = ref::read(a.master);
  const auto b1 = static_cast<double>(a.beta1);
  const auto b2 = static_cast<double>(a.beta2);
  const double unbias1 = 1 - std::pow(b1, a.step);
  const double unbias2 = 1 - std::pow(b2, a.step);
  for (std::int64_t i = 0; i < gradient.rows * gradient.cols; ++i) {
    const bool decays = std::any_of(a.decayed.begin(), a.decayed.end(),
                                    [i](const auto& range) { return range.first <= i && i < range.second; });
    const double g = gradient_scale * gradient[i];
    m[i] = b1 * m[i] + (1 - b1) * g;
    v[i] = b2 * v[i] + (1 - b2) * g * g;
    const double step = m[i] / unbias1 / (std::sqrt(v[i] / unbias2) + static_cast<double>(a.eps));
    master[i] -=
        static_cast<double>(a.lr) * (step + (decays ? static_cast<double>(a.weight_decay) : 0) * master[i]);
  }
  ref::write(a.exp_avg, m);
  ref::write(a.exp_avg_sq, v);
  ref::write(a.master, master);
  ref::write(a.parameter, ref::read(a.master));
}

void RefOps::run(const SumSquares& a) {
  Dense sum(a.out.rows(), a.out.cols());
  for (const double x : ref::read(a.x).value) sum[0] += x * x;
  ref::add(a.out, sum);
}

void RefOps::run(const ClipFactor& a) {
  Dense norm(a.norm.rows(), a.norm.cols());
  Dense scale(a.scale.rows(), a.scale.cols());
  const Dense sums = ref::read(a.sum_squares);
  norm[0] = std::sqrt(sums[0]);
  scale[0] = a.max_norm <= 0 ? 1 : std::min(1.0, static_cast<double>(a.max_norm) / (norm[0] + 1e-6));
  for (const double sum : sums.value) {
    if (!std::isfinite(static_cast<float>(std::sqrt(sum)))) scale[0] = 0;
  }
  ref::write(a.norm, norm);
  ref::write(a.scale, scale);
}

}  // namespace wan
