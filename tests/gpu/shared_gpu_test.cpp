#include <gtest/gtest.h>

#include <string>

#include "base/error.hpp"
#include "comm/agree.hpp"
#include "device/open_device.hpp"
#include "support/mpi_world.hpp"

namespace wan {
namespace {

TEST(shared_gpu, two_ranks_on_one_are_refused_by_both_and_told_which_it_is) {
  const Communicator& world = test::mpi_world().world();
  const std::unique_ptr<Device> device = open_device({});
  try {
    (void)world.on_device(*device);
    FAIL() << "accepted";
  } catch (const CommError& error) {
    const std::string said = error.what();
    for (const std::string& part : {std::string("ranks 0 and 1 of 2"), std::string("GPU-"), host_name()}) {
      EXPECT_NE(said.find(part), std::string::npos) << said;
    }
  }
}

}  // namespace
}  // namespace wan
