#include <gtest/gtest.h>

#include <cmath>
#include <memory>
#include <numeric>
#include <vector>

#include "comm/mesh.hpp"
#include "device/open_device.hpp"
#include "device/ops.hpp"
#include "support/collective_properties.hpp"
#include "support/mpi_world.hpp"
#include "support/optimizer_properties.hpp"
#include "support/tensors.hpp"

namespace wan {
namespace {

/// This rank's GPU, and the ranks that reach one another's.
class nccl : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    DeviceOptions options;
    options.index = test::mpi_world().local_rank();
    device_ = open_device(options).release();
    comm_ = new Communicator(test::mpi_world().world().on_device(*device_));
  }
  static void TearDownTestSuite() {
    delete comm_;
    delete device_;
  }
  static Device& device() { return *device_; }
  static const Communicator& comm() { return *comm_; }

 private:
  static Device* device_;
  static Communicator* comm_;
};

Device* nccl::device_ = nullptr;
Communicator* nccl::comm_ = nullptr;

/// A tensor on the device, and the same on the host.
struct Twin {
  Twin(Device& device, std::vector<float> numbers)
      : host(std::move(numbers)), far(device, DType::f32, {static_cast<std::int64_t>(host.size())}) {
    device.copy(far.view.data, host.data(), far.view.bytes());
  }
  [[nodiscard]] Tensor near() { return {host.data(), DType::f32, far.view.shape}; }

  std::vector<float> host;
  DeviceTensor far;
};

// Exact sums: any order gives them.
TEST_F(nccl, every_collective_is_right_on_either_memory) {
  for (std::uint64_t seed = 1; seed <= 8; ++seed) check_collectives(comm(), seed, &device());
  check_collectives(comm(), 9);
}

TEST_F(nccl, groups_reach_the_gpus_too) {
  check_groups(comm());
  check_collectives(comm().duplicate(), 10, &device());
  check_collectives(comm().split(comm().rank(), 0), 11, &device());
  Mesh mesh(test::mpi_world().world(), {1, 1, comm().size(), 1});
  mesh.reach(device());
  check_collectives(mesh.dp, 12, &device());
}

// Rounded sums, large enough for the library's other protocols: as the host body's but for fp32 rounding.
TEST_F(nccl, sums_equal_the_host_bodys) {
  constexpr std::int64_t each = 3 << 20;
  const std::int64_t whole = each * comm().size() + 37;
  std::vector<std::int64_t> counts(static_cast<std::size_t>(comm().size()), each);
  counts.back() += 37;
  const std::int64_t mine = counts[static_cast<std::size_t>(comm().rank())];
  const auto seed = static_cast<std::uint64_t>(comm().rank());
  Twin sum(device(), test::normals(seed, whole));
  Twin parts(device(), test::normals(seed + 50, whole));
  Twin part(device(), std::vector<float>(static_cast<std::size_t>(mine)));
  Twin gathered(device(), std::vector<float>(static_cast<std::size_t>(whole)));
  comm().all_reduce(sum.near(), Reduce::sum).wait();
  comm().reduce_scatter(parts.near(), part.near(), counts, Reduce::sum).wait();
  comm().all_gather(part.near(), gathered.near(), counts).wait();
  {
    Pending a = comm().all_reduce(sum.far.view, Reduce::sum);
    Pending b = comm().reduce_scatter(parts.far.view, part.far.view, counts, Reduce::sum);
    Pending c = comm().all_gather(part.far.view, gathered.far.view, counts);
  }
  for (Twin* twin : {&sum, &part, &gathered}) {
    EXPECT_LE(test::relative_l2(test::values_of(device(), twin->far.view), twin->host), 3e-7);
  }
}

// What the compute stream was given before counts, what it is given after sees the result, and the host waits
// for neither.
TEST_F(nccl, operations_stand_between_what_was_asked_before_and_after) {
  constexpr std::int64_t count = 32 << 20;
  const DeviceTensor own(device(), DType::f32, {count});
  const DeviceTensor passed(device(), DType::f32, {count});
  const DeviceTensor total(device(), DType::f32, {count});
  const std::vector<float> start(static_cast<std::size_t>(count), static_cast<float>(comm().rank() + 1));
  device().copy(own.view.data, start.data(), own.view.bytes());
  for (const DeviceTensor* tensor : {&passed, &total}) device().zero(tensor->view.data, tensor->view.bytes());
  constexpr int rounds = 20;
  for (int round = 0; round < rounds; ++round) {
    device().ops().axpby({1.0F, own.view, 0.0F, passed.view});
    comm().all_reduce(passed.view, Reduce::sum).wait();
    device().ops().axpby({1.0F, passed.view, 1.0F, total.view});
  }
  const int ranks = comm().size();
  const auto expected = static_cast<float>(rounds * ranks * (ranks + 1) / 2);
  const std::vector<float> found = test::values_of(device(), total.view);
  for (const float number : found) ASSERT_EQ(number, expected);
}

TEST_F(nccl, the_sharded_optimizer_equals_adamw_on_whole_tensors) {
  for (const test::OptimizerCase& one : test::optimizer_cases) {
    SCOPED_TRACE(one.name);
    test::expect_plain_adamw(device(), comm(), one);
  }
  test::expect_all_see_what_is_not_finite(device(), comm());
  test::expect_loaded_state_is_taken_over(device(), comm());
}

}  // namespace
}  // namespace wan
