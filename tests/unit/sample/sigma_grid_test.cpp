#include "sample/sigma_grid.hpp"

#include <gtest/gtest.h>

#include "base/error.hpp"

namespace wan {
namespace {

struct Case {
  SolverKind solver;
  SigmaSource source;
  std::int64_t steps;
  double shift;
  std::vector<double> sigma;  ///< the first ones
  double last_sigma;          ///< the last that is not 0
  std::vector<int> timestep;  ///< the first ones, truncated
};

// Read from diffusers 0.36 and 0.42 and from the official repository, run on the CPU.
const std::vector<Case> cases = {
    {SolverKind::unipc,
     SigmaSource::official,
     6,
     5.0,
     {0.9997998, 0.9613164, 0.9088428, 0.8330554, 0.7139794, 0.4996999},
     0.4996999,
     {999, 961, 908, 833, 713, 499}},
    {SolverKind::unipc,
     SigmaSource::diffusers,
     6,
     5.0,
     {0.9999990, 0.9615828, 0.9092149, 0.8336110, 0.7148973, 0.5014970},
     0.5014970,
     {999, 961, 909, 833, 714, 501}},
    {SolverKind::euler,
     SigmaSource::diffusers,
     6,
     5.0,
     {1.0, 0.9526630, 0.8832125, 0.7714307, 0.5616499, 0.0244141},
     0.0244141,
     {1000, 952, 883, 771, 561, 24}},
    {SolverKind::euler,
     SigmaSource::official,
     6,
     5.0,
     {1.0, 0.9615384, 0.9090909, 0.8333333, 0.7142857, 0.5},
     0.5,
     {1000, 961, 909, 833, 714, 500}},
    {SolverKind::unipc,
     SigmaSource::diffusers_036,
     50,
     5.0,
     {0.999800, 0.995732, 0.991530, 0.987187, 0.982696},
     0.092507,
     {999, 995, 991, 987, 982, 978, 973, 968}},
    {SolverKind::unipc,
     SigmaSource::diffusers_036,
     50,
     3.0,
     {0.999666, 0.992907, 0.985963},
     0.057636,
     {999, 992, 985}},
    {SolverKind::unipc,
     SigmaSource::diffusers,
     50,
     3.0,
     {0.999999},
     0.060405,
     {999, 993, 986, 979, 971, 964, 956, 948, 940, 931, 923, 914, 904, 895, 885, 875, 864,
      853, 842, 830, 818, 805, 792, 779, 765, 750, 735, 719, 702, 685, 667, 648, 628, 607,
      586, 563, 539, 514, 487, 459, 429, 398, 365, 329, 292, 251, 208, 162, 113, 60}},
    // Multiples of 1/1000 that numpy.linspace meets or misses by one rounding.
    {SolverKind::unipc, SigmaSource::diffusers_036, 3, 1.0, {0.999, 0.666, 0.333}, 0.333, {999, 666, 332}},
    {SolverKind::unipc,
     SigmaSource::diffusers,
     9,
     1.0,
     {0.999999, 0.889, 0.778},
     0.112,
     {999, 889, 778, 667, 556, 444, 333, 222, 111}},
    {SolverKind::unipc,
     SigmaSource::official,
     50,
     5.0,
     {0.99979985},
     0.09250686,
     {999, 995, 991, 987, 982, 978, 973, 968, 963, 957, 952, 946, 940, 934, 927, 920, 913,
      906, 898, 890, 882, 873, 863, 854, 843, 833, 821, 809, 796, 783, 768, 753, 737, 720,
      701, 681, 660, 636, 611, 584, 555, 522, 487, 448, 405, 356, 302, 241, 172, 92}},
};

TEST(sigma_grid, equals_the_published_tables) {
  for (const Case& c : cases) {
    const SigmaGrid grid = sigma_grid(c.solver, c.source, c.steps, c.shift);
    ASSERT_EQ(grid.sigma.size(), static_cast<std::size_t>(c.steps) + 1);
    EXPECT_EQ(grid.sigma.back(), 0.0F);
    // Half a unit of the last printed digit (6 or 7 digits; 4 for the last one at shift 3).
    for (std::size_t i = 0; i < c.sigma.size(); ++i) EXPECT_NEAR(grid.sigma[i], c.sigma[i], 1e-6) << i;
    EXPECT_NEAR(grid.sigma[static_cast<std::size_t>(c.steps) - 1], c.last_sigma, 1e-4);
    for (std::size_t i = 0; i < c.timestep.size(); ++i) {
      EXPECT_EQ(static_cast<int>(grid.timestep[i]), c.timestep[i]) << i;
    }
  }
}

TEST(sigma_grid, falls_and_stays_in_range_for_every_setting) {
  for (const SolverKind solver : {SolverKind::unipc, SolverKind::euler}) {
    for (const SigmaSource source :
         {SigmaSource::diffusers, SigmaSource::diffusers_036, SigmaSource::official}) {
      for (const std::int64_t steps : {1, 2, 3, 7, 50, 1000}) {
        for (const double shift : {0.5, 1.0, 3.0, 16.0}) {
          const SigmaGrid grid = sigma_grid(solver, source, steps, shift);
          for (std::size_t i = 0; i < grid.timestep.size(); ++i) {
            EXPECT_GT(grid.sigma[i], grid.sigma[i + 1]);
            EXPECT_LE(grid.sigma[i], 1.0F);
          }
        }
      }
    }
  }
  EXPECT_THROW((void)sigma_grid(SolverKind::unipc, SigmaSource::diffusers, 0, 5.0), ConfigError);
  EXPECT_THROW((void)sigma_grid(SolverKind::unipc, SigmaSource::diffusers, 10, -1.0), ConfigError);
}

}  // namespace
}  // namespace wan
