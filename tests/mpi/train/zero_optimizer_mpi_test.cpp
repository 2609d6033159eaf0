#include <gtest/gtest.h>

#include "support/mpi_world.hpp"
#include "support/optimizer_properties.hpp"
#include "support/tensors.hpp"

namespace wan {
namespace {

TEST(zero_optimizer_mpi, equals_adamw_on_whole_tensors) {
  for (const test::OptimizerCase& one : test::optimizer_cases) {
    SCOPED_TRACE(one.name);
    test::expect_plain_adamw(test::test_device(), test::mpi_world().world(), one);
  }
}

TEST(zero_optimizer_mpi, all_ranks_see_what_is_not_finite) {
  test::expect_all_see_what_is_not_finite(test::test_device(), test::mpi_world().world());
}

TEST(zero_optimizer_mpi, takes_over_what_was_loaded) {
  test::expect_loaded_state_is_taken_over(test::test_device(), test::mpi_world().world());
}

}  // namespace
}  // namespace wan
