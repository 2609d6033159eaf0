#include "sample/unipc.hpp"

#include <algorithm>
#include <cmath>

#include "device/ops.hpp"

namespace wan {

UniPc::UniPc(SigmaGrid grid, Device& device, std::int64_t elements)
    : grid_(std::move(grid)), device_(device), corrected_(device, DType::f32, {elements}) {
  for (DeviceTensor& tensor : clean_) tensor = DeviceTensor(device, DType::f32, {elements});
}

double UniPc::lambda(std::size_t i) const {
  const double sigma = grid_.sigma[i];
  return std::log(1.0 - sigma) - std::log(sigma);
}

std::size_t UniPc::order(std::size_t i) const {
  const std::size_t steps = grid_.timestep.size();
  return std::min({std::size_t{2}, steps - i, i + 1});
}

UniPc::Update UniPc::predictor(std::size_t i) const {
  const double from = grid_.sigma[i];
  const double to = grid_.sigma[i + 1];
  if (to == 0.0) return {0.0, 1.0, 0.0, 0.0};
  const double h = lambda(i + 1) - lambda(i);
  const double phi = std::expm1(-h);
  const double alpha = 1.0 - to;
  Update u;
  u.x = to / from;
  if (order(i) == 2) {
    const double r = (lambda(i - 1) - lambda(i)) / h;
    u.previous = -alpha * phi * 0.5 / r;
  }
  u.newest = -alpha * phi - u.previous;
  return u;
}

UniPc::Update UniPc::corrector(std::size_t i) const {
  const double from = grid_.sigma[i - 1];
  const double to = grid_.sigma[i];
  const double h = lambda(i) - lambda(i - 1);
  const double hh = -h;
  const double phi = std::expm1(hh);
  const double alpha = 1.0 - to;
  double rho_old = 0.0;
  double rho_new = 0.5;
  double r = 1.0;
  if (order(i - 1) == 2) {
    r = (lambda(i - 2) - lambda(i - 1)) / h;
    const double k1 = phi / hh - 1.0;
    const double b1 = k1 / phi;
    const double b2 = 2.0 * (k1 / hh - 0.5) / phi;
    rho_old = (b1 - b2) / (1.0 - r);
    rho_new = b1 - rho_old;
  }
  Update u;
  u.x = to / from;
  u.newest = -alpha * phi * rho_new;
  u.oldest = -alpha * phi * rho_old / r;
  u.previous = -alpha * phi - u.newest - u.oldest;
  return u;
}

void UniPc::step(std::int64_t step_index, const Tensor& velocity, const Tensor& sample) {
  const auto i = static_cast<std::size_t>(step_index);
  Ops& ops = device_.ops();
  const auto f = [](double value) { return static_cast<float>(value); };

  ops.axpby({1.0F, sample, 0.0F, clean(i)});
  ops.axpby({-grid_.sigma[i], velocity, 1.0F, clean(i)});

  if (i > 0) {
    const Update c = corrector(i);
    ops.axpby({f(c.x), corrected_.view, 0.0F, sample});
    ops.axpby({f(c.newest), clean(i), 1.0F, sample});
    ops.axpby({f(c.previous), clean(i - 1), 1.0F, sample});
    if (c.oldest != 0.0) ops.axpby({f(c.oldest), clean(i - 2), 1.0F, sample});
  }
  ops.axpby({1.0F, sample, 0.0F, corrected_.view});

  const Update p = predictor(i);
  ops.axpby({f(p.newest), clean(i), f(p.x), sample});
  if (p.previous != 0.0) ops.axpby({f(p.previous), clean(i - 1), 1.0F, sample});
}

}  // namespace wan
