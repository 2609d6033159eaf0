#include "sample/sample_memory.hpp"
#include "sample/sample_advice.hpp"

#include <gtest/gtest.h>

#include <algorithm>

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

std::int64_t peak(const std::vector<StageMemory>& stages) {
  std::int64_t most = 0;
  for (const StageMemory& stage : stages) most = std::max(most, stage.total());
  return most;
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

TEST(SampleMemory, AdviceNamesTheFlagsThatMakeAVideoFit) {
  SampledStages stages = wan_14b();
  stages.many = true;
  const FrameSize size{480, 832};
  const auto advice = [&](std::int64_t bytes) { return sample_advice(stages, size, 81, bytes); };
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
  EXPECT_NE(advice(whole).find("somebody else"), std::string::npos) << advice(whole);
  EXPECT_NE(advice(whole - 1).find("what fits: --"), std::string::npos) << advice(whole - 1);
  EXPECT_NE(advice(least).find("what fits: --guidance_branches sequential --vae_tiling, "), std::string::npos)
      << advice(least);
  EXPECT_NE(advice(least - 1).find("no flag makes it fit"), std::string::npos) << advice(least - 1);
}

TEST(SampleMemory, TextsTakeTheEncoderWhoseParametersAreKnown) {
  const StageMemory texts = plan_sampling(wan_14b(), {480, 832}, 81)[0];
  // 5,680,910,336 parameters.
  EXPECT_GE(bytes_of_kind(texts, "text encoder"), 2 * std::int64_t{5680910336});
  EXPECT_LE(bytes_of_kind(texts, "text encoder"), 2.02 * 5680910336.0);
}

}  // namespace
}  // namespace wan
