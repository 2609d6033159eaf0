#include "prep/source_plan.hpp"

#include <gtest/gtest.h>

#include <random>

#include "prep/reject.hpp"

namespace wan {
namespace {

PrepRules rules(FitMode fit, std::int64_t height = 480, std::int64_t width = 832) {
  PrepRules out;
  out.fit = fit;
  out.height = height;
  out.width = width;
  return out;
}

TEST(FitFrames, FollowsTheReferenceAndEndsInMultiplesOfSixteen) {
  const Fit cover = fit_frames(rules(FitMode::cover), 1280, 720);
  EXPECT_EQ(cover.resized_width, 853);
  EXPECT_EQ(cover.crop_x, 10);
  EXPECT_EQ(cover.width, 832);
  EXPECT_EQ(cover.height, 480);
  // The reference stops at 832 x 468, of which the VAE and the patches can use 464 rows.
  const Fit inside = fit_frames(rules(FitMode::inside), 1280, 720);
  EXPECT_EQ(inside.resized_height, 468);
  EXPECT_EQ(inside.crop_y, 2);
  EXPECT_EQ(inside.height, 464);
  EXPECT_EQ(inside.width, 832);
  const Fit own = fit_frames(rules(FitMode::none), 854, 480);
  EXPECT_EQ(own.width, 848);
  EXPECT_EQ(own.crop_x, 3);
  EXPECT_EQ(own.crop_y, 0);
}

TEST(FitFrames, AnySizeFitsOrIsRejected) {
  std::mt19937 random(1);
  for (int round = 0; round < 5000; ++round) {
    const auto fit_mode = static_cast<FitMode>(random() % 4);
    const auto width = static_cast<std::int64_t>(1 + random() % 5000);
    const auto height = static_cast<std::int64_t>(1 + random() % 5000);
    try {
      const Fit fit =
          fit_frames(rules(fit_mode, 16 * (1 + random() % 40), 16 * (1 + random() % 40)), width, height);
      EXPECT_EQ(fit.width % 16, 0);
      EXPECT_EQ(fit.height % 16, 0);
      EXPECT_GT(fit.width, 0);
      EXPECT_GT(fit.height, 0);
      EXPECT_GE(fit.crop_x, 0);
      EXPECT_GE(fit.crop_y, 0);
    } catch (const Reject& reject) {
      EXPECT_TRUE(reject.reason == "too_small" || reject.reason == "too_large") << reject.reason;
    }
  }
  EXPECT_THROW((void)fit_frames(rules(FitMode::none), 15, 100), Reject);
  EXPECT_THROW((void)fit_frames(rules(FitMode::none), 8000, 8000), Reject);
}

TEST(SourcePlan, RowsKnowTheirLatents) {
  PrepRules rule;
  rule.clips = {0, 17, 17, 5, {}, {}};
  const VaeConfig vae;
  const SourcePlan plan{40, 16, 96, 160, "a \"caption\"\nof two lines", 7};
  const SourcePlan travelled = source_plan_from_json(Json::parse(to_json(plan).dump(), "test"));
  EXPECT_EQ(travelled.caption, plan.caption);
  const std::vector<Row> rows = rows_of(rule, vae, "a/b.mp4", travelled);
  ASSERT_EQ(rows.size(), 3U);
  EXPECT_EQ(rows[0].latent, (LatentShape{16, 5, 12, 20}));
  EXPECT_EQ(rows[2].frame_start, 34);
  EXPECT_EQ(rows[2].frame_count, 5);
  EXPECT_EQ(rows[2].latent, (LatentShape{16, 2, 12, 20}));
  EXPECT_EQ(rows[2].text_rows, 7);
  EXPECT_EQ(rows[1].id, sample_id("a/b.mp4", 17, 17));
}

}  // namespace
}  // namespace wan
