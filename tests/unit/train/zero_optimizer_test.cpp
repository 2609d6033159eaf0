#include "train/zero_optimizer.hpp"

#include <gtest/gtest.h>

#include "comm/dry_run.hpp"
#include "support/far_device.hpp"
#include "support/optimizer_properties.hpp"
#include "support/reference_device.hpp"
#include "support/tensors.hpp"
#include "train/shard_range.hpp"

namespace wan {
namespace {

using test::OptimizerCase;

/// Ranks faked as threads use the reference ops, which keep no state; under mpirun the same properties hold
/// the fast ones (tests/mpi/train).
void on_faked_ranks(const std::function<void(Device&, const Communicator&)>& body) {
  for (int ranks = 1; ranks <= 4; ++ranks) {
    SCOPED_TRACE(ranks);
    dry_run(ranks, [&](const Communicator& comm) {
      test::ReferenceDevice device(test::test_device());
      body(device, comm);
    });
  }
}

class zero_optimizer : public ::testing::TestWithParam<OptimizerCase> {};

TEST_P(zero_optimizer, equals_adamw_on_whole_tensors) {
  on_faked_ranks(
      [&](Device& device, const Communicator& comm) { test::expect_plain_adamw(device, comm, GetParam()); });
  test::expect_plain_adamw(test::test_device(), Communicator(), GetParam());
}

INSTANTIATE_TEST_SUITE_P(cases, zero_optimizer, ::testing::ValuesIn(test::optimizer_cases),
                         [](const auto& one) { return std::string(one.param.name); });

TEST(zero_optimizer, all_ranks_see_what_is_not_finite) {
  on_faked_ranks(test::expect_all_see_what_is_not_finite);
}

TEST(zero_optimizer, takes_over_what_was_loaded) {
  on_faked_ranks(test::expect_loaded_state_is_taken_over);
}

/// The same on devices whose operations run only when they are waited for.
TEST_P(zero_optimizer, equals_adamw_on_devices_of_their_own) {
  for (int ranks = 2; ranks <= 3; ++ranks) {
    dry_run(ranks, [](const Communicator& world) {
      test::ReferenceDevice ops(test::test_device());
      test::FarDevice device(ops, world.duplicate(), std::to_string(world.rank()));
      test::expect_plain_adamw(device, world.on_device(device), GetParam());
      EXPECT_GT(device.started(), 0);
    });
  }
}

TEST(shard_bounds, deal_every_element_once_in_equal_shares_and_a_rest) {
  for (const std::int64_t elements : {0, 1, 63, 64, 65, 1000, 64 * 1000 + 1}) {
    for (int ranks = 1; ranks <= 9; ++ranks) {
      const std::vector<std::int64_t> bounds = shard_bounds(elements, ranks);
      ASSERT_EQ(bounds.size(), static_cast<std::size_t>(ranks) + 1);
      EXPECT_EQ(bounds.front(), 0);
      EXPECT_EQ(bounds.back(), elements);
      const std::int64_t share = bounds[1];
      EXPECT_TRUE(ranks == 1 || share % 64 == 0);
      for (std::size_t r = 0; r + 2 < bounds.size(); ++r) EXPECT_EQ(bounds[r + 1] - bounds[r], share);
      const std::int64_t last = elements - bounds[bounds.size() - 2];
      EXPECT_GE(last, share);
      EXPECT_LT(last, share + 64 * ranks) << elements << " elements on " << ranks << " ranks";
    }
  }
}

}  // namespace
}  // namespace wan
