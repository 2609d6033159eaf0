#include "weights/prompt_encoder.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <numeric>

#include "base/error.hpp"
#include "support/tensors.hpp"

namespace wan {
namespace {

TEST(TextBatches, OnAGpuTheyFillItWithTextsOfLikeLength) {
  std::vector<std::int64_t> tokens;
  for (std::int64_t i = 0; i < 300; ++i) tokens.push_back(1 + i * 37 % 512);
  const auto batches = text_batches(tokens, DeviceKind::cuda);
  std::vector<std::size_t> seen;
  std::int64_t shortest = 0;
  for (std::size_t b = 0; b < batches.size(); ++b) {
    std::int64_t held = 0;
    for (const std::size_t text : batches[b]) {
      held += tokens[text];
      EXPECT_GE(tokens[text], shortest);
      shortest = tokens[text];
      seen.push_back(text);
    }
    EXPECT_LE(held, 4096);
    if (b + 1 < batches.size()) {
      EXPECT_GT(held + tokens[batches[b + 1].front()], 4096);
    }
  }
  std::sort(seen.begin(), seen.end());
  std::vector<std::size_t> all(tokens.size());
  std::iota(all.begin(), all.end(), std::size_t{0});
  EXPECT_EQ(seen, all);
}

TEST(TextBatches, OnTheHostEachIsAlone) {
  const auto batches = text_batches({5, 1, 9}, DeviceKind::host);
  EXPECT_EQ(batches, (std::vector<std::vector<std::size_t>>{{0}, {1}, {2}}));
  EXPECT_TRUE(text_batches({}, DeviceKind::cuda).empty());
}

TEST(PromptEncoder, TextsTogetherAreTheTextsAloneInOrder) {
  const ModelParts model = read_model_parts(Communicator(), WAN_SOURCE_DIR "/inputs/demo/model");
  PromptEncoder encoder(test::test_device(), model);
  const std::vector<std::string> texts = {"a red circle moving left", "",
                                          "a blue square on a black background"};
  std::vector<std::vector<float>> alone;
  for (const std::string& text : texts) {
    alone.push_back(encoder.encode(text));
    EXPECT_EQ(static_cast<std::int64_t>(alone.back().size()),
              encoder.tokens(text) * model.text_encoder.d_model);
  }
  encoder.start(texts);
  encoder.start({texts[2], texts[0]});
  EXPECT_EQ(encoder.under_way(), 2U);
  EXPECT_THROW(encoder.start(texts), InternalError);
  const std::vector<std::vector<float>> first = encoder.take();
  const std::vector<std::vector<float>> second = encoder.take();
  EXPECT_THROW((void)encoder.take(), InternalError);
  ASSERT_EQ(first.size(), 3U);
  ASSERT_EQ(second.size(), 2U);
  // Matrices of another number of rows: sums may have another order.
  for (std::size_t i = 0; i < texts.size(); ++i) EXPECT_LE(test::relative_l2(first[i], alone[i]), 1e-5) << i;
  EXPECT_LE(test::relative_l2(second[0], alone[2]), 1e-5);
  EXPECT_LE(test::relative_l2(second[1], alone[0]), 1e-5);
}

}  // namespace
}  // namespace wan
