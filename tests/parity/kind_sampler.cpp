#include <algorithm>
#include <cmath>

#include "base/error.hpp"
#include "parity/kinds.hpp"
#include "sample/sigma_grid.hpp"
#include "sample/solver.hpp"
#include "support/tensors.hpp"
#include "weights/safetensors.hpp"

namespace wan::parity {
namespace {

/// The field that all sampler cases are made with; a network's place is taken by a formula.
constexpr const char* known_velocity = "tanh(0.7*x + field) * (0.5 + t/1000)";

float velocity(float x, float field, double t) {
  return static_cast<float>(std::tanh(0.7 * static_cast<double>(x) + static_cast<double>(field)) *
                            (0.5 + t / 1000));
}

SigmaSource source_of(const Json& description) {
  const std::string& text = description.at("source").as_string();
  if (text.find("official") != std::string::npos) return SigmaSource::official;
  return text.find("0.36") != std::string::npos ? SigmaSource::diffusers_036 : SigmaSource::diffusers;
}

std::vector<double> widened(const std::vector<float>& values) {
  return {values.begin(), values.end()};
}

}  // namespace

void run_sampler(const Case& which, Report& report) {
  const Json& description = which.description;
  if (description.at("velocity").as_string() != known_velocity) {
    throw Error(ExitCode::data, std::string("velocity is not ") + known_velocity);
  }
  const SolverKind kind = solver_from_name(description.at("solver").as_string());
  const std::int64_t steps = description.at("steps").as_integer();
  const SigmaGrid grid = sigma_grid(kind, source_of(description), steps, description.at("shift").as_number());

  const SafetensorsFile io(which.file("io.safetensors"));
  const auto compare_table = [&](const std::string& name, const std::vector<double>& got) {
    const std::vector<double> want = io.doubles(name);
    if (want.size() != got.size()) return report.exact(name + ".size", false);
    report.compare(which, name, Quantity::schedule, got.data(), want.data(),
                   static_cast<std::int64_t>(got.size()));
  };
  compare_table("sigmas", widened(grid.sigma));
  compare_table("timesteps", widened(grid.timestep));

  const std::vector<float> field = io.floats("field");
  const std::vector<float> noise = io.floats("noise");
  const auto count = static_cast<std::int64_t>(noise.size());
  const test::Owned sample(which.device, DType::f32, {count}, noise);
  const std::unique_ptr<Solver> solver = make_solver(kind, grid, which.device, count);
  std::vector<float> trajectory;
  for (std::int64_t i = 0; i < steps; ++i) {
    std::vector<float> v = sample.values();
    const auto t = static_cast<double>(grid.timestep[static_cast<std::size_t>(i)]);
    std::transform(v.begin(), v.end(), field.begin(), v.begin(),
                   [t](float x, float f) { return velocity(x, f, t); });
    solver->step(i, test::Owned(which.device, DType::f32, {count}, v), sample);
    const std::vector<float> moved = sample.values();
    trajectory.insert(trajectory.end(), moved.begin(), moved.end());
  }
  const std::vector<float> want = io.floats("trajectory");
  if (want.size() != trajectory.size() || field.size() != noise.size())
    return report.exact("trajectory.size", false);
  report.compare(which, "trajectory", Quantity::schedule, trajectory.data(), want.data(),
                 static_cast<std::int64_t>(want.size()));
}

}  // namespace wan::parity
