#include "train/memory_plan.hpp"

#include <gtest/gtest.h>

#include "base/error.hpp"
#include "train/flow_step.hpp"
#include "train/memory_advice.hpp"
#include "train/step_forecast.hpp"

namespace wan {
namespace {

DitConfig one_billion() {
  DitConfig config;
  config.num_attention_heads = 12;
  config.attention_head_dim = 128;
  config.num_layers = 30;
  config.ffn_dim = 8960;
  return config;
}

constexpr PackBounds whole_clip = {32760, 512, 1, 32760};
constexpr double gib = 1024.0 * 1024.0 * 1024.0;

class memory_plan : public ::testing::Test {
 protected:
  memory_plan() : dit_(one_billion(), DType::bf16) { config_.model.params_dtype = ModelStorage::bf16; }

  [[nodiscard]] MemoryPlan plan(const RecomputePlan& recompute, std::int64_t ranks = 1) const {
    return plan_memory(dit_, config_, whole_clip, DeviceKind::cuda, ranks, recompute);
  }
  [[nodiscard]] RecomputePlan choose(std::optional<std::int64_t> room) const {
    return recompute_plan(config_.model, dit_, whole_clip, DeviceKind::cuda, room);
  }
  [[nodiscard]] std::int64_t activations(const RecomputePlan& recompute) const {
    return activation_bytes(dit_, whole_clip, DeviceKind::cuda, recompute);
  }

  TrainConfig config_;
  Dit dit_;
};

// A clip of 81 x 480 x 832 without recomputed products on a GPU of 80 GiB, and with them in 34 GiB.
TEST_F(memory_plan, a_clip_fits_the_cards_it_should) {
  EXPECT_LT(static_cast<double>(plan(Recompute::norms).total()), 76 * gib);
  EXPECT_LT(static_cast<double>(plan(Recompute::keep_attention).total()), 34 * gib);
  EXPECT_GT(static_cast<double>(plan(Recompute::none).total()), 100 * gib);
}

TEST_F(memory_plan, kinds_add_up_and_ranks_share_the_optimizer_only) {
  const MemoryPlan alone = plan(Recompute::norms);
  const MemoryPlan shared = plan(Recompute::norms, 4);
  std::int64_t sum = 0;
  for (const auto& [kind, bytes] : alone.by_kind()) {
    EXPECT_GT(bytes, 0) << kind;
    sum += bytes;
  }
  EXPECT_EQ(sum, alone.total());
  EXPECT_EQ(alone.average, 0);
  EXPECT_GE(4 * shared.moments, alone.moments);
  EXPECT_LT(3 * shared.moments, alone.moments);
  EXPECT_LT(3 * shared.masters, alone.masters);
  EXPECT_EQ(shared.gradients, alone.gradients);
  EXPECT_EQ(shared.activations, alone.activations);
  config_.ema.enabled = true;
  EXPECT_EQ(plan(Recompute::norms).average, alone.masters);
}

// 86.4 GiB were seen on an H200, 74.0 without.
TEST_F(memory_plan, a_deterministic_run_has_room_for_what_its_attention_takes) {
  const std::int64_t usual = plan(Recompute::norms).total();
  config_.runtime.deterministic = true;
  EXPECT_NEAR(static_cast<double>(plan(Recompute::norms).total()), 86.4 * gib, 0.05 * 86.4 * gib);
  EXPECT_GT(plan(Recompute::norms).total(), usual);
  const auto libraries = [&](const PackBounds& bounds, bool deterministic) {
    return library_bytes(dit_, bounds, DeviceKind::cuda, deterministic);
  };
  const PackBounds four = {4 * 32760, 4 * 512, 4, 32760};
  EXPECT_NEAR(static_cast<double>(libraries(four, true) - libraries(four, false)), 24 * gib, gib)
      << "keys are one clip's";
}

TEST_F(memory_plan, automatic_takes_the_fastest_plan_that_fits) {
  EXPECT_EQ(choose(std::nullopt).of(0), Recompute::none);
  EXPECT_EQ(choose(activations(Recompute::none)).of(0), Recompute::norms);
  EXPECT_EQ(choose(activations(Recompute::norms)).of(29), Recompute::norms);
  const RecomputePlan mixed = choose(activations(Recompute::norms) - 1);
  EXPECT_EQ(mixed.of(0), Recompute::keep_attention);
  EXPECT_EQ(mixed.of(29), Recompute::norms);
  EXPECT_EQ(to_text(mixed, 30).find("blocks keep_attention, "), 2U) << to_text(mixed, 30);
  const RecomputePlan lightest = choose(activations(Recompute::full));
  EXPECT_EQ(lightest.of(29), Recompute::full);
  for (std::int64_t room = activations(Recompute::full); room < activations(Recompute::norms);
       room += activations(Recompute::norms) / 7) {
    EXPECT_LE(activations(choose(room)), room);
  }
}

TEST_F(memory_plan, what_does_not_fit_is_refused_with_what_would) {
  config_.model.recompute_granularity = RecomputeChoice::none;
  for (const std::int64_t room : {activations(Recompute::norms), std::int64_t{1}}) {
    try {
      (void)choose(room);
      FAIL() << "accepted";
    } catch (const ConfigError& error) {
      EXPECT_EQ(error.key, "model.recompute_granularity");
      for (const char* text : {" of device memory", "norms ", "keep_attention ", "full "}) {
        EXPECT_NE(std::string(error.what()).find(text), std::string::npos) << error.what();
      }
    }
    config_.model.recompute_granularity = RecomputeChoice::automatic;
  }
}

TEST_F(memory_plan, a_policy_for_the_first_blocks_leaves_the_others_alone) {
  config_.model.recompute_granularity = RecomputeChoice::full;
  config_.model.recompute_num_layers = 7;
  EXPECT_EQ(choose(std::nullopt).of(20), Recompute::full) << "uniform takes every block";
  config_.model.recompute_method = RecomputeMethod::block;
  EXPECT_EQ(choose(std::nullopt).of(6), Recompute::full);
  EXPECT_EQ(choose(std::nullopt).of(7), Recompute::none);
}

// Forward products once, backward twice; attention's backward does its logits again.
TEST_F(memory_plan, a_forecast_counts_each_policys_work) {
  const auto work = [&](const RecomputePlan& recompute) {
    return forecast_step(dit_, whole_clip, DeviceKind::cuda, 1, recompute);
  };
  const StepForecast none = work(Recompute::none);
  const StepForecast norms = work(Recompute::norms);
  const StepForecast kept = work(Recompute::keep_attention);
  const StepForecast full = work(Recompute::full);
  const double tokens = 32768;
  EXPECT_NEAR(none.product_flops, 3 * 30 * 2 * tokens * (6.0 * 1536 * 1536 + 2.0 * 1536 * 8960),
              0.02 * none.product_flops);
  EXPECT_NEAR(none.attention_backward_flops, 2.5 * none.attention_forward_flops,
              1e-9 * none.attention_backward_flops);
  EXPECT_EQ(norms.flops(), none.flops());
  EXPECT_GT(norms.other_bytes, none.other_bytes);
  EXPECT_NEAR(kept.product_flops, none.product_flops * 4 / 3, 0.02 * none.product_flops);
  EXPECT_LT(kept.attention_forward_flops, 1.1 * none.attention_forward_flops);
  EXPECT_NEAR(full.attention_forward_flops, 2 * none.attention_forward_flops,
              1e-9 * full.attention_forward_flops);
  const GpuRates& h200 = gpu_named("h200");
  EXPECT_LT(none.seconds(h200), norms.seconds(h200));
  EXPECT_LT(norms.seconds(h200), kept.seconds(h200));
  EXPECT_LT(kept.seconds(h200), full.seconds(h200));
  EXPECT_THROW((void)gpu_named("abacus"), UsageError);
}

// 76 GiB hold the lightest fast policy, 30 GiB more recomputation, 25 GiB only a shorter clip, 8 GiB nothing.
TEST_F(memory_plan, advice_names_what_fits) {
  config_.model.num_layers = 30;
  config_.model.recompute_granularity = RecomputeChoice::none;
  const auto advice = [&](double size) {
    const auto bytes = static_cast<std::int64_t>(size * gib);
    return memory_advice(dit_, config_, whole_clip, 1, {bytes, bytes});
  };
  EXPECT_NE(advice(76).find("recomputation of norms"), std::string::npos) << advice(76);
  EXPECT_NE(advice(30).find("full"), std::string::npos) << advice(30);
  EXPECT_NE(advice(8).find("no micro batch fits"), std::string::npos) << advice(8);
  const std::string shorter = advice(25);
  const std::size_t at = shorter.find("up to ");
  ASSERT_NE(at, std::string::npos) << shorter;
  const std::int64_t tokens = std::stoll(shorter.substr(at + 6));
  const auto total = [&](std::int64_t clip) {
    return plan_memory(dit_, config_, {clip, 512, 1, clip}, DeviceKind::cuda, 1, Recompute::full).total();
  };
  EXPECT_LE(static_cast<double>(total(tokens)), 0.99 * 25 * gib);
  EXPECT_GT(static_cast<double>(total(tokens + 1)), 0.99 * 25 * gib);
}

TEST_F(memory_plan, advice_to_an_automatic_choice_tells_whether_somebody_else_has_the_memory) {
  config_.model.num_layers = 30;
  config_.model.recompute_granularity = RecomputeChoice::automatic;
  const auto advice = [&](double free) {
    const DeviceMemory memory{static_cast<std::int64_t>(free * gib), static_cast<std::int64_t>(80 * gib)};
    return memory_advice(dit_, config_, whole_clip, 1, memory);
  };
  EXPECT_NE(advice(2).find("recomputing norms; only 2.0 GiB are free"), std::string::npos) << advice(2);
  EXPECT_NE(advice(80).find("the plan is too low"), std::string::npos) << advice(80);
  // What the libraries took is not free, but nobody else's.
  EXPECT_NE(advice(73).find("the plan is too low"), std::string::npos) << advice(73);
}

}  // namespace
}  // namespace wan
