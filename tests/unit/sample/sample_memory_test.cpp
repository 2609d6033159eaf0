#include "sample/sample_memory.hpp"

#include <gtest/gtest.h>

#include "sample/sample_advice.hpp"

namespace wan {
namespace {

constexpr std::int64_t gib = std::int64_t{1} << 30;

SampledStages wan_14b() {
  SampledStages stages;
  stages.transformer.num_attention_heads = 40;
  stages.transformer.attention_head_dim = 128;
  stages.transformer.num_layers = 40;
  stages.transformer.ffn_dim = 13824;
  stages.vae.latents_mean.assign(16, 0);
  stages.vae.latents_std.assign(16, 1);
  return stages;
}

std::int64_t bytes_of_kind(const StageMemory& stage, const std::string& kind) {
  for (const auto& [name, bytes] : stage.kinds) {
    if (name == kind) return bytes;
  }
  return 0;
}

// The official code takes 69.1 GB for this.
TEST(SampleMemory, The14BModelMakes81FramesOf720pIn48GiB) {
  SampledStages stages = wan_14b();
  for (const bool many : {false, true}) {
    stages.many = many;
    const std::vector<StageMemory> plan = plan_sampling(stages, {720, 1280}, 81);
    ASSERT_EQ(plan.size(), 3U);
    EXPECT_LE(peak(plan), 48 * gib) << to_text(plan);
    // 14,288,491,584 parameters of two bytes, some of four.
    EXPECT_GE(bytes_of_kind(plan[1], "transformer"), 2 * std::int64_t{14288491584});
    EXPECT_LE(bytes_of_kind(plan[1], "transformer"), 2.1 * 14288491584.0);
    EXPECT_EQ(bytes_of_kind(plan[2], "transformer") > 0, many);
    EXPECT_LE(bytes_of_kind(plan[2], "activations"), 40 * gib);
    EXPECT_GT(bytes_of_kind(plan[2], "activations"), gib);
    EXPECT_NE(to_text(plan).find("peak"), std::string::npos);
  }
}

TEST(SampleMemory, BranchesOneAfterTheOtherTakeLess) {
  SampledStages stages = wan_14b();
  const auto denoising = [&](GuidanceBranches branches) {
    stages.branches = branches;
    return plan_sampling(stages, {480, 832}, 81)[1].total();
  };
  EXPECT_LT(denoising(GuidanceBranches::sequential) + 2 * gib, denoising(GuidanceBranches::batched));
}

TEST(SampleMemory, AdviceNamesTheFewestFlagsThatMakeAVideoFit) {
  SampledStages stages = wan_14b();
  stages.many = true;
  const FrameSize size{480, 832};
  const auto advice = [&](std::int64_t total) {
    return sample_advice(stages, size, 81, {total - gib, total});
  };
  const auto says = [&](std::int64_t total, const char* what) {
    return advice(total).find(what) != std::string::npos;
  };
  const auto needs = [&](GuidanceBranches branches, bool tiled) {
    SampledStages other = stages;
    other.branches = branches;
    other.tiling.enabled = tiled;
    return peak(plan_sampling(other, size, 81));
  };
  const std::int64_t whole = peak(plan_sampling(stages, size, 81));
  const std::int64_t tiled = needs(GuidanceBranches::automatic, true);
  const std::int64_t least = needs(GuidanceBranches::sequential, true);
  ASSERT_LT(least, tiled);
  ASSERT_LT(tiled, whole);
  EXPECT_TRUE(says(whole + 2 * gib, "the plan is too low")) << advice(whole + 2 * gib);
  EXPECT_TRUE(says(whole, "somebody else")) << advice(whole);
  EXPECT_TRUE(says(whole - 1, "what fits: --vae_tiling, ")) << advice(whole - 1);
  EXPECT_TRUE(says(least, "what fits: --guidance_branches sequential --vae_tiling, ")) << advice(least);
  EXPECT_TRUE(says(least - 1, "smaller video")) << advice(least - 1);
  EXPECT_TRUE(says(20 * gib, "no video fits, however small")) << advice(20 * gib);
  stages.storage = DType::f32;
  EXPECT_TRUE(says(whole, "what fits: --params_dtype bf16, ")) << advice(whole);
}

TEST(SampleMemory, WhoComputesOneBranchIsNotAdvisedHowToComputeTwo) {
  SampledStages stages = wan_14b();
  stages.guided = false;
  stages.many = true;
  const FrameSize size{480, 832};
  const std::int64_t whole = peak(plan_sampling(stages, size, 81));
  const std::string advice = sample_advice(stages, size, 81, {whole - gib, whole - 1});
  EXPECT_NE(advice.find("what fits: --vae_tiling, "), std::string::npos) << advice;
  EXPECT_EQ(advice.find("--guidance_branches"), std::string::npos) << advice;
}

TEST(SampleMemory, TextsTakeTheEncoderWhoseParametersAreKnown) {
  const StageMemory texts = plan_sampling(wan_14b(), {480, 832}, 81)[0];
  // 5,680,910,336 parameters.
  EXPECT_GE(bytes_of_kind(texts, "text encoder"), 2 * std::int64_t{5680910336});
  EXPECT_LE(bytes_of_kind(texts, "text encoder"), 2.02 * 5680910336.0);
}

}  // namespace
}  // namespace wan
