#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "base/error.hpp"
#include "clips.hpp"
#include "media/demo_report.hpp"
#include "media/demo_shapes.hpp"
#include "media/writer.hpp"

namespace wan::demo {
namespace {

TEST(Demo, captions_name_each_combination_once) {
  std::set<std::string> captions;
  for (std::int64_t i = 0; i < combination_count; ++i) {
    captions.insert(caption(combination(i)));
    EXPECT_EQ(parse_caption(caption(combination(i))), combination(i));
  }
  EXPECT_EQ(captions.size(), 32U);
  EXPECT_EQ(captions.count("a red circle moving right on a black background"), 1U);
  EXPECT_FALSE(parse_caption("a red circle"));
}

TEST(Demo, what_is_left_out_leaves_every_pair_shown) {
  for (std::uint64_t seed = 0; seed < 20; ++seed) {
    for (const std::int64_t count : {0, 4, 8}) {
      const std::vector<Combination> out = left_out(count, seed);
      ASSERT_EQ(static_cast<std::int64_t>(out.size()), count);
      EXPECT_EQ(out, left_out(count, seed));
      std::set<std::pair<std::int64_t, std::int64_t>> colour_direction;
      std::set<std::pair<std::int64_t, std::int64_t>> colour_shape;
      std::set<std::pair<std::int64_t, std::int64_t>> shape_direction;
      for (std::int64_t i = 0; i < combination_count; ++i) {
        const Combination c = combination(i);
        if (std::find(out.begin(), out.end(), c) != out.end()) continue;
        colour_direction.insert({c.colour, c.direction});
        colour_shape.insert({c.colour, c.shape});
        shape_direction.insert({c.shape, c.direction});
      }
      EXPECT_EQ(colour_direction.size(), 16U);
      EXPECT_EQ(colour_shape.size(), 8U);
      EXPECT_EQ(shape_direction.size(), 8U);
      std::set<std::int64_t> colours;
      for (const Combination& c : out) colours.insert(c.colour);
      EXPECT_EQ(colours.size(), count == 0 ? 0U : 4U);
    }
  }
  EXPECT_THROW((void)left_out(32, 1), UsageError);
}

TEST(Demo, drawing_depends_on_seed_and_index_alone_and_stays_inside) {
  const auto ground_byte = static_cast<std::uint8_t>(255 * ground + 0.5);
  for (std::int64_t index = 0; index < 64; ++index) {
    const Combination what = combination(index % combination_count);
    const std::vector<Image> clip = draw_clip(what, 3, index);
    ASSERT_EQ(static_cast<std::int64_t>(clip.size()), frames);
    EXPECT_EQ(clip[5].rgb, draw_clip(what, 3, index)[5].rgb);
    EXPECT_NE(clip[5].rgb, draw_clip(what, 4, index)[5].rgb);
    for (const Image& image : {clip.front(), clip.back()}) {
      std::int64_t covered = 0;
      for (std::size_t i = 0; i < image.rgb.size(); i += 3)
        covered += image.rgb[i] != ground_byte || image.rgb[i + 1] != ground_byte ? 1 : 0;
      EXPECT_GT(covered, 254);           // pi 9^2
      EXPECT_LT(covered, 616 + 4 * 28);  // pi 14^2 and a rim of half covered pixels
    }
  }
}

/// The judge agrees with what was drawn, also after H.264 at the quality that the demo uses.
TEST(Demo, the_judge_sees_what_was_drawn) {
  const clips::Folder folder;
  std::vector<Judged> judged;
  for (std::int64_t index = 0; index < combination_count; ++index) {
    const std::string path = folder.file(std::to_string(index) + ".mp4");
    VideoWriter writer(path, side, side, {fps, 1}, 4);
    for (const Image& image : draw_clip(combination(index), 9, index)) writer.add(image);
    writer.finish();
    judged.push_back(judge_file(path, caption(combination(index))));
  }
  const Json all_seen = report(judged, {});
  EXPECT_EQ(all_seen.at("seen").at("clips").as_integer(), 32);
  EXPECT_EQ(all_seen.at("seen").at("both").as_number(), 1.0);
  EXPECT_TRUE(all_seen.at("left_out").at("both").is_null());
  judged[0].wanted = combination(1);   // another direction
  judged[31].wanted = combination(7);  // another colour
  const Json mixed = report(judged, {combination(1), combination(2)});
  EXPECT_EQ(mixed.at("left_out").at("clips").as_integer(), 3);
  EXPECT_DOUBLE_EQ(mixed.at("left_out").at("direction").as_number(), 2.0 / 3.0);
  EXPECT_DOUBLE_EQ(mixed.at("left_out").at("colour").as_number(), 1.0);
  EXPECT_DOUBLE_EQ(mixed.at("seen").at("colour").as_number(), 28.0 / 29.0);
  EXPECT_THROW((void)judge_file(folder.file("0.mp4"), "a dog"), DataError);
}

TEST(Demo, an_empty_clip_shows_nothing) {
  const Sighting seen = judge(std::vector<Image>(17, Image(64, 64)));
  EXPECT_FALSE(seen.colour);
  EXPECT_FALSE(seen.direction);
}

}  // namespace
}  // namespace wan::demo
