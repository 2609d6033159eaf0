#include "sample/sigma_grid.hpp"

#include <algorithm>
#include <cmath>

#include "base/error.hpp"
#include "base/text.hpp"

namespace wan {
namespace {

double shifted(double sigma, double shift) {
  return shift * sigma / (1.0 + (shift - 1.0) * sigma);
}

/// from, …, to in `count` equal steps, both ends included; rounded as numpy.linspace does it, since time
/// steps are cut to integers and 665.9999999 must not stand for 666.
std::vector<double> linspace(double from, double to, std::int64_t count) {
  std::vector<double> out(static_cast<std::size_t>(count), from);
  const double step = count > 1 ? (to - from) / static_cast<double>(count - 1) : 0;
  for (std::int64_t i = 1; i < count; ++i)
    out[static_cast<std::size_t>(i)] = static_cast<double>(i) * step + from;
  if (count > 1) out.back() = to;
  return out;
}

std::vector<double> unshifted(SolverKind solver, SigmaSource source, std::int64_t steps, double shift) {
  std::vector<double> grid;
  if (solver == SolverKind::euler) {
    if (source == SigmaSource::official) {
      grid = linspace(1.0, 0.0, steps + 1);
    } else {
      return linspace(shifted(1.0, shift), shifted(0.001, shift), steps);
    }
  } else if (source == SigmaSource::diffusers) {
    grid = linspace(1.0, 0.001, steps + 1);
  } else if (source == SigmaSource::diffusers_036) {
    for (const double alpha : linspace(1.0, 0.001, steps + 1)) grid.push_back(1.0 - alpha);
    std::reverse(grid.begin(), grid.end());
  } else {
    grid = linspace(static_cast<double>(0.999F), 0.0, steps + 1);
  }
  grid.pop_back();
  return grid;
}

}  // namespace

SigmaGrid sigma_grid(SolverKind solver, SigmaSource source, std::int64_t steps, double shift) {
  if (steps < 1 || steps > 10000)
    throw ConfigError("sample_steps", cat("found ", steps, ", allowed 1 to 10000"));
  if (!(shift > 0.0) || !std::isfinite(shift)) {
    throw ConfigError("sample_shift", cat("found ", shift, ", allowed: a positive number"));
  }
  SigmaGrid out;
  for (const double base : unshifted(solver, source, steps, shift)) {
    double sigma = shifted(base, shift);
    const bool first = out.sigma.empty();
    if (first && solver == SolverKind::unipc && source == SigmaSource::diffusers &&
        std::fabs(sigma - 1.0) < 1e-6) {
      sigma -= 1e-6;
    }
    out.sigma.push_back(static_cast<float>(sigma));
    const double timestep = 1000.0 * sigma;
    out.timestep.push_back(static_cast<float>(solver == SolverKind::unipc ? std::trunc(timestep) : timestep));
  }
  out.sigma.push_back(0.0F);
  return out;
}

SolverKind solver_from_name(const std::string& name) {
  if (name == "unipc") return SolverKind::unipc;
  if (name == "euler") return SolverKind::euler;
  throw ConfigError("sample_solver", cat("found '", name, "', allowed: unipc, euler"));
}

SigmaSource sigma_source_from_name(const std::string& name) {
  if (name == "diffusers") return SigmaSource::diffusers;
  if (name == "diffusers-0.36") return SigmaSource::diffusers_036;
  if (name == "official") return SigmaSource::official;
  throw ConfigError("sigma_grid", cat("found '", name, "', allowed: diffusers, diffusers-0.36, official"));
}

}  // namespace wan
