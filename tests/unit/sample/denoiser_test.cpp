#include "sample/denoiser.hpp"

#include <gtest/gtest.h>

#include <string>

#include "device/ops/plan/plan_ops.hpp"
#include "sample/stage_times.hpp"
#include "support/forwarding_device.hpp"
#include "support/tensors.hpp"

namespace wan {
namespace {

using test::normals;
using test::relative_l2;

/// Sums of the same numbers in another order, over all steps.
constexpr double other_order = 1e-5;

DitConfig small_config() {
  DitConfig config;
  config.num_attention_heads = 2;
  config.attention_head_dim = 16;
  config.num_layers = 3;
  config.ffn_dim = 64;
  config.in_channels = config.out_channels = 4;
  config.text_dim = 24;
  return config;
}

/// Counts what a denoising step must not do. May pass for a GPU, whose memory then is not told.
class WatchedDevice final : public test::ForwardingDevice {
 public:
  WatchedDevice(Device& device, DeviceKind kind) : ForwardingDevice(device), kind_(kind) {}
  [[nodiscard]] DeviceKind kind() const override { return kind_; }
  [[nodiscard]] void* allocate(std::int64_t bytes) override {
    ++allocations;
    return ForwardingDevice::allocate(bytes);
  }
  [[nodiscard]] void* allocate_pinned(std::int64_t bytes) override {
    ++allocations;
    return ForwardingDevice::allocate_pinned(bytes);
  }
  void synchronize(Stream stream) override {
    ++waits;
    ForwardingDevice::synchronize(stream);
  }
  void await(Event event) override {
    ++waits;
    ForwardingDevice::await(event);
  }

  int allocations = 0;
  int waits = 0;

 private:
  DeviceKind kind_;
};

class DenoiserTest : public ::testing::Test {
 protected:
  explicit DenoiserTest(DeviceKind kind = DeviceKind::host)
      : device_(test::test_device(), kind), dit_(small_config(), DType::f32) {
    dit_.place(device_, false);
    dit_.parameters().initialise(device_, 1);
    std::uint64_t seed = 10;
    for (const ParameterUnit& unit : dit_.parameters().units()) {
      for (std::size_t i = 0; i < unit.parameters().size(); ++i) {
        const Tensor weight = unit.weight(static_cast<int>(i));
        const std::vector<float> values = normals(++seed, weight.elements(), 0.15F);
        Parameters::upload(device_, weight, values.data());
      }
    }
    for (const std::int64_t rows : {5, 512, 1}) {
      texts_.push_back({rows, small_config().text_dim,
                        normals(static_cast<std::uint64_t>(rows), rows * small_config().text_dim)});
    }
    settings_.steps = 9;
    settings_.guide_scale = 4;
  }

  [[nodiscard]] std::vector<DenoiseItem> items() const {
    std::vector<DenoiseItem> out(2);
    out[0] = {{2, 3, 2}, &texts_[0], &texts_[2], {}};
    out[1] = {{1, 2, 4}, &texts_[1], &texts_[2], {}};
    for (std::size_t i = 0; i < out.size(); ++i) {
      out[i].latent = normals(100 + i, out[i].grid.tokens() * 4 * small_config().in_channels);
    }
    return out;
  }

  struct Run {
    std::vector<float> latents;
    DenoiseReport report;
  };
  Run run(
      GuidanceBranches branches, const Denoiser::Progress& progress = [](std::int64_t) { return true; }) {
    settings_.branches = branches;
    std::vector<DenoiseItem> made = items();
    Run out;
    out.report = Denoiser(device_, dit_, settings_).run(made, progress);
    for (const DenoiseItem& item : made) {
      out.latents.insert(out.latents.end(), item.latent.begin(), item.latent.end());
    }
    return out;
  }

  /// The same by predicts that know nothing of caches, packs of both branches, or a race.
  [[nodiscard]] std::vector<float> plainly() {
    const SigmaGrid grid = sigma_grid(settings_.solver, settings_.source, settings_.steps, settings_.shift);
    std::vector<float> out;
    for (const DenoiseItem& item : items()) {
      const auto elements = static_cast<std::int64_t>(item.latent.size());
      const std::unique_ptr<Solver> solver = make_solver(settings_.solver, grid, device_, elements);
      const test::Owned sample(device_, DType::f32, {elements}, item.latent);
      for (std::int64_t i = 0; i < settings_.steps; ++i) {
        const float t = grid.timestep[static_cast<std::size_t>(i)];
        const std::vector<float> positive = velocity(item.grid, t, *item.prompt, sample);
        std::vector<float> v = velocity(item.grid, t, *item.negative, sample);
        for (std::size_t k = 0; k < v.size(); ++k) {
          v[k] += static_cast<float>(settings_.guide_scale) * (positive[k] - v[k]);
        }
        solver->step(i, test::Owned(device_, DType::f32, {elements}, v), sample);
      }
      const std::vector<float> latent = sample.values();
      out.insert(out.end(), latent.begin(), latent.end());
    }
    return out;
  }

  std::vector<float> velocity(const Grid& grid, float timestep, const TextEmbedding& text,
                              const Tensor& sample) {
    const std::int64_t multiple = row_multiple(device_.kind());
    const Pack pack({{grid, timestep, text.rows}}, multiple);
    const PackCapacity capacity{pack.rows(), pack.text_rows(), 1};
    PackBuffers buffers(device_, capacity, multiple);
    PlanOps plan;
    const DeviceBuffer memory(device_, dit_.predict_bytes(plan, capacity, multiple));
    Arena arena(memory.data(), memory.bytes());
    std::vector<float> rows = text.values;
    rows.resize(static_cast<std::size_t>(pack.text_rows() * text.width));
    const test::Owned text_rows(device_, DType::f32, {pack.text_rows(), text.width}, rows);
    const test::Owned out = test::zeros(device_, DType::f32, sample.shape);
    dit_.predict(Walk(device_, arena), buffers.load(pack), sample, text_rows, out);
    return out.values();
  }

  WatchedDevice device_;
  Dit dit_;
  DenoiseSettings settings_;
  std::vector<TextEmbedding> texts_;
};

TEST_F(DenoiserTest, EitherWayOfGuidanceGivesWhatPlainPredictsGive) {
  const std::vector<float> expected = plainly();
  EXPECT_GT(relative_l2(expected, run(GuidanceBranches::batched, [](std::int64_t) { return false; }).latents),
            0.1);
  for (const GuidanceBranches way :
       {GuidanceBranches::automatic, GuidanceBranches::batched, GuidanceBranches::sequential}) {
    const Run got = run(way);
    EXPECT_TRUE(got.report.whole);
    EXPECT_LE(relative_l2(got.latents, expected), other_order);
    EXPECT_EQ(got.report.branches,
              std::string(way == GuidanceBranches::sequential ? "sequential" : "batched"));
  }
}

TEST_F(DenoiserTest, WithoutGuidanceThereIsOneBranch) {
  settings_.guide_scale = 1;
  const Run one = run(GuidanceBranches::automatic);
  EXPECT_EQ(one.report.branches, std::string("one"));
  settings_.guide_scale = 1.0 + 1e-6;  // both branches, of which the prompt's is all but alone
  EXPECT_LE(relative_l2(run(GuidanceBranches::batched).latents, one.latents), 1e-4);
}

TEST_F(DenoiserTest, AStepAllocatesNothingAndWaitsForNothing) {
  for (const GuidanceBranches way : {GuidanceBranches::batched, GuidanceBranches::sequential}) {
    const int before = device_.allocations;
    std::vector<int> allocations;
    std::vector<int> waits;
    (void)run(way, [&](std::int64_t) {
      allocations.push_back(device_.allocations);
      waits.push_back(device_.waits);
      return true;
    });
    ASSERT_EQ(allocations.size(), static_cast<std::size_t>(settings_.steps));
    EXPECT_GT(allocations.front(), before);
    for (const int count : allocations) EXPECT_EQ(count, allocations.front());
    for (const int count : waits) EXPECT_EQ(count, waits.front());
  }
}

TEST_F(DenoiserTest, EndingEarlyLeavesTheItemsAsTheyWere) {
  const Run ended = run(GuidanceBranches::automatic, [](std::int64_t step) { return step < 3; });
  EXPECT_FALSE(ended.report.whole);
  std::vector<float> start;
  for (const DenoiseItem& item : items()) start.insert(start.end(), item.latent.begin(), item.latent.end());
  EXPECT_EQ(ended.latents, start);
}

class DenoiserRace : public DenoiserTest {
 protected:
  DenoiserRace() : DenoiserTest(DeviceKind::cuda) {}
};

TEST_F(DenoiserRace, BothWaysAreTriedAndTheResultIsTheSame) {
  const std::vector<float> expected = plainly();
  std::vector<int> waits;
  const Run raced = run(GuidanceBranches::automatic, [&](std::int64_t) {
    waits.push_back(device_.waits);
    return true;
  });
  EXPECT_LE(relative_l2(raced.latents, expected), other_order);
  EXPECT_NE(raced.report.branches, std::string("one"));
  // Each timed step, 1 and 3, waits before and after itself; no other does.
  ASSERT_EQ(waits.size(), 9U);
  EXPECT_EQ(waits[1], waits[0] + 2);
  EXPECT_EQ(waits[2], waits[1]);
  EXPECT_EQ(waits[3], waits[2] + 2);
  for (std::size_t i = 4; i < waits.size(); ++i) EXPECT_EQ(waits[i], waits[3]);
}

TEST_F(DenoiserRace, FewStepsAreNotRaced) {
  settings_.steps = 7;
  int waits = -1;
  const Run few = run(GuidanceBranches::automatic, [&](std::int64_t) {
    if (waits < 0) waits = device_.waits;
    EXPECT_EQ(device_.waits, waits);
    return true;
  });
  EXPECT_EQ(few.report.branches, std::string("batched"));
}

TEST(GuidanceRace, TheWayWithTheShorterStepWins) {
  for (const int faster : {GuidanceRace::batched, GuidanceRace::sequential}) {
    GuidanceRace race([] {});
    std::vector<int> ways;
    for (std::int64_t i = 0; i < 6; ++i) {
      const int way = race.begin_step(i);
      ways.push_back(way);
      EXPECT_EQ(race.decided(), i >= 4);
      const StopWatch watch;
      while (watch.ms() < (way == faster ? 1 : 20)) {
      }
      EXPECT_EQ(race.end_step(i), i == 3);
    }
    EXPECT_EQ(ways, (std::vector<int>{0, 0, 1, 1, faster, faster}));
    EXPECT_LT(race.milliseconds(faster), race.milliseconds(1 - faster));
  }
}

}  // namespace
}  // namespace wan
