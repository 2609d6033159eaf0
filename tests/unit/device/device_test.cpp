#include <gtest/gtest.h>

#include "base/error.hpp"
#include "device/open_device.hpp"
#include "device/ops/plan/plan_ops.hpp"
#include "device/ops/ref/ref_ops.hpp"
#include "support/tensors.hpp"
#include "tensor/arena.hpp"

namespace wan {
namespace {

using test::Owned;
using test::test_device;

TEST(Device, AllocationsAreAlignedAndHoldWhatIsCopied) {
  Device& device = test_device();
  for (const std::int64_t bytes : {0, 1, 255, 256, 100000}) {
    const DeviceBuffer buffer(device, bytes);
    EXPECT_EQ(reinterpret_cast<std::uintptr_t>(buffer.data()) % 256, 0U);
  }
  const std::vector<float> values = test::normals(1, 37);
  const Owned tensor(device, DType::f32, {37}, values);
  EXPECT_EQ(tensor.values(), values);
  device.zero(tensor.view().data, tensor.view().bytes());
  EXPECT_EQ(tensor.values(), std::vector<float>(37, 0.0F));
}

TEST(Device, TooLargeAnAllocationNamesTheBytes) {
  try {
    static_cast<void>(test_device().allocate(std::int64_t{1} << 60));
    FAIL();
  } catch (const CommError& error) {
    EXPECT_NE(std::string(error.what()).find("iB"), std::string::npos) << error.what();
  }
}

TEST(Device, DescribesItself) {
  const std::string library = test_device().kind() == DeviceKind::host ? "oneDNN" : "cuDNN";
  EXPECT_NE(test_device().description().find(library), std::string::npos) << test_device().description();
}

/// Else every comparison with the reference would compare it with itself.
TEST(Device, RunsItsOwnOps) {
  EXPECT_NE(dynamic_cast<RefOps*>(&test::reference_ops()), nullptr);
  EXPECT_EQ(dynamic_cast<RefOps*>(&test_device().ops()), nullptr);
}

TEST(Device, ReferenceDeviceComputes) {
  DeviceOptions options;
  options.kind = DeviceKind::host;
  options.reference = true;
  const auto device = open_device(options);
  EXPECT_NE(device->description().find("reference"), std::string::npos);
  const Owned x(*device, DType::f32, {3}, {1, 2, 3});
  const Owned y = test::zeros(*device, DType::f32, {3});
  device->ops().axpby({2, x, 0, y});
  EXPECT_EQ(y.values(), (std::vector<float>{2, 4, 6}));
}

/// Where this build has no CUDA library, or the machine no driver.
TEST(OpenDevice, OpensAGpuOrNamesWhatIsMissing) {
  DeviceOptions options;
  options.kind = DeviceKind::cuda;
  try {
    EXPECT_EQ(open_device(options)->kind(), DeviceKind::cuda);
  } catch (const CommError& error) {
    EXPECT_NE(std::string(error.what()).find("cuda"), std::string::npos) << error.what();
  }
}

TEST(PlanOps, CountsWithoutTouchingMemory) {
  Arena arena;
  PlanOps ops;
  LinearForward linear;
  linear.x = arena.allocate(DType::bf16, {640, 128});
  linear.w = arena.allocate(DType::bf16, {512, 128});
  linear.y = arena.allocate(DType::bf16, {640, 512});
  ops.linear_forward(linear);
  EXPECT_EQ(ops.total().flops, 2LL * 640 * 512 * 128);
  EXPECT_EQ(ops.total().bytes, 2LL * (640 * 128 + 512 * 128 + 640 * 512));

  AttentionForward attention;
  const AttentionSegments segments{{0, 80, 160}, {0, 19, 20}, {494, 512}};
  attention.q = arena.allocate(DType::f32, {160, 128});
  attention.k = arena.allocate(DType::f32, {20, 128});
  attention.v = arena.allocate(DType::f32, {20, 128});
  attention.o = arena.allocate(DType::f32, {160, 128});
  attention.segments = &segments;
  attention.head_dim = 32;
  ops.attention_forward(attention);
  EXPECT_EQ(ops.by_op().at("attention_forward").flops, 4LL * (80 * 19 + 80) * 128);
  EXPECT_EQ(ops.total().calls, 2);
}

}  // namespace
}  // namespace wan
