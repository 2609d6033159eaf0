#include <gtest/gtest.h>

#include <vector>

#include "base/error.hpp"
#include "comm/agree.hpp"
#include "comm/dry_run.hpp"
#include "comm/mesh.hpp"
#include "support/collective_properties.hpp"
#include "support/far_device.hpp"
#include "support/tensors.hpp"

namespace wan {
namespace {

using test::FarDevice;

std::string own_gpu(const Communicator& comm) {
  return "GPU " + std::to_string(comm.rank());
}

TEST(device_body, every_collective_is_right_on_either_memory) {
  for (int ranks = 2; ranks <= 4; ++ranks) {
    dry_run(ranks, [&](const Communicator& world) {
      FarDevice device(test::test_device(), world.duplicate(), own_gpu(world));
      const Communicator comm = world.on_device(device);
      check_collectives(comm, static_cast<std::uint64_t>(ranks), &device);
      EXPECT_GT(device.started(), 0);
      EXPECT_EQ(device.ended(), device.started());
      const std::int64_t before = device.started();
      check_collectives(comm, 17);
      EXPECT_EQ(device.started(), before) << "host memory went through the device";
      check_groups(comm);
    });
  }
}

TEST(device_body, groups_split_from_it_reach_the_device_too) {
  dry_run(4, [](const Communicator& world) {
    FarDevice device(test::test_device(), world.duplicate(), own_gpu(world));
    const Communicator comm = world.on_device(device);
    check_collectives(comm.split(comm.rank() / 2, comm.rank()), 3, &device);
    check_collectives(comm.split(comm.rank() == 3 ? 1 : 0, -comm.rank()), 4, &device);
    check_collectives(comm.duplicate(), 5, &device);
    Mesh mesh(world, {1, 2, 2, 1});
    mesh.reach(device);
    check_collectives(mesh.cp, 6, &device);
    check_collectives(mesh.dp, 7, &device);
  });
}

TEST(device_body, the_host_does_not_wait_for_the_device) {
  dry_run(2, [](const Communicator& world) {
    FarDevice device(test::test_device(), world.duplicate(), own_gpu(world));
    const Communicator comm = world.on_device(device);
    const DeviceTensor numbers(device, DType::f32, {3});
    device.zero(numbers.view.data, numbers.view.bytes(), {});
    Pending sum = comm.all_reduce(numbers.view, Reduce::sum);
    std::int64_t one = 1;
    comm.all_reduce(Tensor(&one, DType::i64, {1}), Reduce::sum).wait();
    comm.barrier();
    EXPECT_EQ(one, 2);
    EXPECT_EQ(device.ended(), 0);
    sum.wait();
    EXPECT_EQ(device.ended(), 1);
  });
}

TEST(device_body, one_rank_or_host_memory_needs_none) {
  FarDevice alone(test::test_device(), Communicator(), "GPU");
  check_collectives(Communicator().on_device(alone), 3);
  EXPECT_EQ(alone.started(), 0);
  dry_run(2, [](const Communicator& world) {
    check_collectives(world.on_device(test::test_device()), 4, &test::test_device());
  });
}

TEST(device_body, two_ranks_on_one_gpu_are_refused_by_all) {
  dry_run(3, [](const Communicator& world) {
    FarDevice device(test::test_device(), world.duplicate(), world.rank() == 0 ? "H200 a" : "H200 b");
    try {
      (void)world.on_device(device);
      FAIL() << "two ranks share a GPU";
    } catch (const CommError& error) {
      const std::string said = error.what();
      for (const std::string& part :
           {std::string("ranks 1 and 2 of 3"), std::string("H200 b"), host_name()}) {
        EXPECT_NE(said.find(part), std::string::npos) << said;
      }
    }
  });
}

TEST(device_body, an_exception_gives_up_what_is_under_way) {
  dry_run(2, [](const Communicator& world) {
    FarDevice device(test::test_device(), world.duplicate(), own_gpu(world));
    const Communicator comm = world.on_device(device);
    try {
      const DeviceTensor numbers(device, DType::f32, {3});
      const Pending sum = comm.all_reduce(numbers.view, Reduce::sum);
      throw DataError("file", "is wrong");
    } catch (const DataError&) {
      EXPECT_EQ(device.aborted(), 1);
    }
  });
}

TEST(device_body, memories_cannot_be_mixed_in_an_exchange) {
  dry_run(2, [](const Communicator& world) {
    FarDevice device(test::test_device(), world.duplicate(), own_gpu(world));
    const Communicator comm = world.on_device(device);
    const DeviceTensor numbers(device, DType::f32, {3});
    float host[3] = {};
    const int other = 1 - world.rank();
    EXPECT_THROW(comm.exchange({{other, numbers.view}}, {{other, Tensor(host, DType::f32, {3})}}),
                 InternalError);
  });
}

}  // namespace
}  // namespace wan
