#include "device/cuda/identity.hpp"

#include <gtest/gtest.h>

#include "device/cuda/requirements.hpp"

namespace wan::cuda {
namespace {

std::array<char, 16> uuid(char last) {
  std::array<char, 16> bytes{'\x1b', '\x4e', '\x28', '\xba', '\x00', '\xff'};
  bytes.back() = last;
  return bytes;
}

TEST(gpu_identity, is_written_as_nvidia_smi_does) {
  EXPECT_EQ(gpu_identity("NVIDIA H200", uuid('\x81')),
            "NVIDIA H200 GPU-1b4e28ba-00ff-0000-0000-000000000081");
}

// --gpus-per-task=1: the ranks of a machine are shown one GPU each.
TEST(gpu_identity, tells_gpus_apart_that_are_number_0_for_their_ranks) {
  EXPECT_EQ(require_gpu(1, 0, ""), require_gpu(1, 1, ""));
  EXPECT_NE(gpu_identity("NVIDIA H200", uuid(0)), gpu_identity("NVIDIA H200", uuid(1)));
  EXPECT_EQ(gpu_identity("NVIDIA H200", uuid(1)), gpu_identity("NVIDIA H200", uuid(1)));
}

}  // namespace
}  // namespace wan::cuda
