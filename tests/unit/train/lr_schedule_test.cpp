#include "train/lr_schedule.hpp"

#include <gtest/gtest.h>

namespace wan {
namespace {

TEST(lr_schedule, warms_up_from_zero_and_ends_at_the_minimum) {
  const LrSchedule schedule{0.9e-4, 0.9e-5, 0.0, 2000, 10000, LrDecay::cosine};
  EXPECT_EQ(schedule.rate(0), 0.0);
  EXPECT_DOUBLE_EQ(schedule.rate(1000), 0.45e-4);
  EXPECT_DOUBLE_EQ(schedule.rate(2000), 0.9e-4);
  EXPECT_NEAR(schedule.rate(6000), 0.5 * (0.9e-4 + 0.9e-5), 1e-12);
  EXPECT_NEAR(schedule.rate(10000), 0.9e-5, 1e-15);
  EXPECT_EQ(schedule.rate(20000), 0.9e-5);
}

TEST(lr_schedule, decays_without_ever_rising) {
  for (const LrDecay style : {LrDecay::cosine, LrDecay::linear, LrDecay::constant}) {
    const LrSchedule schedule{1.0, 0.1, 0.0, 10, 100, style};
    for (int step = 10; step < 150; ++step) EXPECT_GE(schedule.rate(step), schedule.rate(step + 1));
  }
  const LrSchedule no_warmup{1.0, 0.1, 0.0, 0, 100, LrDecay::linear};
  EXPECT_EQ(no_warmup.rate(0), 1.0);
  EXPECT_DOUBLE_EQ(no_warmup.rate(50), 0.55);
}

}  // namespace
}  // namespace wan
