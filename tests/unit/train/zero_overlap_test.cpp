#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "comm/dry_run.hpp"
#include "data/mock.hpp"
#include "support/dit_harness.hpp"
#include "support/far_device.hpp"
#include "support/reference_device.hpp"
#include "support/tensors.hpp"
#include "train/flow_step.hpp"
#include "train/zero_hooks.hpp"
#include "unit/dit/samples.hpp"

namespace wan {
namespace {

using test::FarDevice;

/// When the new weights of other ranks are waited for.
enum class Awaited { at_once, where_read };

struct Trained {
  std::vector<float> losses;
  std::vector<std::vector<float>> weights;
  /// Elements that differed from what they became when the waiting was over, after the last update.
  std::int64_t outstanding = 0;
};

std::vector<std::vector<float>> weights_of(Device& device, const Parameters& parameters) {
  std::vector<std::vector<float>> out;
  for (const ParameterUnit& unit : parameters.units()) {
    for (std::size_t i = 0; i < unit.parameters().size(); ++i) {
      out.push_back(test::values_of(device, unit.weight(static_cast<int>(i))));
    }
  }
  return out;
}

std::int64_t differing(const std::vector<std::vector<float>>& a, const std::vector<std::vector<float>>& b) {
  std::int64_t count = 0;
  for (std::size_t i = 0; i < a.size(); ++i) {
    for (std::size_t e = 0; e < a[i].size(); ++e) count += a[i][e] != b[i][e] ? 1 : 0;
  }
  return count;
}

/// Three steps of two micro batches on this rank. Nothing but the hooks waits for weights if `awaited` so
/// says.
Trained train(Device& device, const Communicator& ranks, DType storage, Awaited awaited) {
  const MockDataset source(3, 12, {4, 2, 4, 6}, 5, 16);
  test::DitHarness harness(device, test::small_config(), storage);
  harness.initialise(1);
  harness.perturb(2, 0.1F);
  const Parameters& parameters = harness.dit().parameters();
  FlowStep flow(device, harness.dit(), source.null_text(), {{}, 5, 6, {24, 12, 2}});
  ZeroOptimizer optimizer(device, parameters, ranks, AdamWSettings(), false);
  ZeroHooks hooks(optimizer);
  Trained out;
  for (std::int64_t step = 1; step <= 3; ++step) {
    parameters.zero_gradients(device);
    for (const bool last : {false, true}) {
      const std::int64_t first = 4 * (step - 1) + 2 * ranks.rank();
      const HostPack pack = read_pack(source, {first + (last ? 1 : 0)}, step);
      flow.accumulate({pack, 4, 2 * pack.tokens() * ranks.size(), last}, {nullptr, &hooks});
      optimizer.watch(flow.device_losses());
    }
    optimizer.measure_gradient();
    optimizer.update(1e-2, step);
    if (awaited == Awaited::at_once) optimizer.await_weights();
    for (const SampleLoss& loss : flow.take_losses()) out.losses.push_back(static_cast<float>(loss.weighted));
  }
  const std::vector<std::vector<float>> early = weights_of(device, parameters);
  optimizer.await_weights();
  out.weights = weights_of(device, parameters);
  out.outstanding = differing(early, out.weights);
  return out;
}

void expect_same_bits(Device& device, const Communicator& ranks, DType storage) {
  const Trained plain = train(device, ranks, storage, Awaited::at_once);
  const Trained overlapped = train(device, ranks, storage, Awaited::where_read);
  EXPECT_EQ(overlapped.losses, plain.losses);
  EXPECT_EQ(overlapped.weights, plain.weights);
  // A loss that moves, so that stale weights would show; weights that were under way, so that there were any.
  EXPECT_NE(plain.losses.front(), plain.losses.back());
  EXPECT_EQ(plain.outstanding, 0);
  EXPECT_GT(overlapped.outstanding, 0);
}

class zero_overlap : public ::testing::TestWithParam<DType> {};

INSTANTIATE_TEST_SUITE_P(storage, zero_overlap, ::testing::Values(DType::f32, DType::bf16),
                         [](const auto& one) { return name_of(one.param); });

TEST_P(zero_overlap, weights_that_travel_during_the_next_forward_change_no_bit) {
  dry_run(2, [](const Communicator& world) {
    test::ReferenceDevice device(test::test_device());
    expect_same_bits(device, world, GetParam());
  });
}

TEST_P(zero_overlap, so_on_devices_of_their_own) {
  dry_run(2, [](const Communicator& world) {
    test::ReferenceDevice ops(test::test_device());
    FarDevice device(ops, world.duplicate(), std::to_string(world.rank()));
    expect_same_bits(device, world.on_device(device), GetParam());
    EXPECT_EQ(device.ended(), device.started());
  });
}

}  // namespace
}  // namespace wan
