#include "sample/solver.hpp"

#include <gtest/gtest.h>

#include <vector>

#include "device/open_device.hpp"

namespace wan {
namespace {

struct Trajectory {
  SolverKind solver;
  SigmaSource source;
  std::vector<double> after;  ///< x after each of the 6 steps
};

// dx/dsigma = x / 2 + sigma / 10 from x = 1, shift 5, by the official code and by diffusers 0.42 in fp64.
const std::vector<Trajectory> trajectories = {
    {SolverKind::unipc,
     SigmaSource::official,
     {0.9769107, 0.9465742, 0.9048741, 0.8432700, 0.7446272, 0.5336121}},
    {SolverKind::unipc,
     SigmaSource::diffusers,
     {0.9769503, 0.9466375, 0.9050691, 0.8436307, 0.7453021, 0.5332687}},
    {SolverKind::euler,
     SigmaSource::diffusers,
     {0.9715978, 0.9312425, 0.8693218, 0.7619551, 0.5271065, 0.5206125}},
};

TEST(solver, follows_the_published_trajectories) {
  const std::unique_ptr<Device> device = open_device({});
  for (const Trajectory& truth : trajectories) {
    const SigmaGrid grid = sigma_grid(truth.solver, truth.source, 6, 5.0);
    const std::unique_ptr<Solver> solver = make_solver(truth.solver, grid, *device, 1);
    const DeviceTensor sample(*device, DType::f32, {1});
    const DeviceTensor velocity(*device, DType::f32, {1});
    float x = 1.0F;
    device->copy(sample.view.data, &x, sizeof x);
    for (std::size_t i = 0; i < truth.after.size(); ++i) {
      const float v = 0.5F * x + 0.1F * grid.sigma[i];
      device->copy(velocity.view.data, &v, sizeof v);
      solver->step(static_cast<std::int64_t>(i), velocity.view, sample.view);
      device->copy(&x, sample.view.data, sizeof x);
      // fp32 arithmetic on numbers near 1, six steps: a few units of 6e-8 each.
      EXPECT_NEAR(x, truth.after[i], 1e-6) << "step " << i;
    }
  }
}

}  // namespace
}  // namespace wan
