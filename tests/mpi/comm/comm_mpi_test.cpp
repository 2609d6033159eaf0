#include <gtest/gtest.h>

#include <thread>
#include <vector>

#include "comm/agree.hpp"
#include "comm/communicator.hpp"
#include "support/collective_properties.hpp"
#include "support/mpi_world.hpp"

namespace wan {
namespace {

TEST(mpi_communicator, every_collective_is_right) {
  check_collectives(test::mpi_world().world(), 11);
}

TEST(mpi_communicator, groups_stay_apart) {
  check_groups(test::mpi_world().world());
}

TEST(mpi_communicator, a_background_thread_has_messages_of_its_own) {
  const Communicator& world = test::mpi_world().world();
  const Communicator background = world.duplicate(Waiting::patient);
  std::vector<float> theirs(200000, 1.0F);
  std::thread thread([&] {
    for (int round = 0; round < 3; ++round) {
      background.all_reduce(Tensor(theirs.data(), DType::f32, {200000}), Reduce::sum).wait();
    }
  });
  check_collectives(world, 5);
  thread.join();
  float expected = 1;
  for (int round = 0; round < 3; ++round) expected *= static_cast<float>(world.size());
  for (const float x : theirs) ASSERT_EQ(x, expected);
}

}  // namespace
}  // namespace wan
