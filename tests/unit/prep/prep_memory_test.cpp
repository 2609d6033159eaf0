#include "prep/prep_memory.hpp"

#include <gtest/gtest.h>

#include "comm/communicator.hpp"

namespace wan {
namespace {

constexpr std::int64_t gib = std::int64_t{1} << 30;

/// The demo's tokenizer with the encoders of Wan 2.1, of which no weight is read.
ModelParts wan_model(ModelStorage storage = ModelStorage::automatic) {
  PartsWeights weights;
  weights.storage = storage;
  weights.hashed = false;
  ModelParts model =
      read_model_parts(Communicator(), std::string(WAN_SOURCE_DIR) + "/inputs/demo/model", weights);
  model.vae = VaeConfig();
  model.text_encoder = Umt5Config();
  return model;
}

TEST(PrepMemory, OfTheWanModels) {
  const PrepMemory memory = plan_prep_memory(wan_model(), {}, {{480, 832}});
  // 5.68e9 parameters of UMT5-XXL's encoder and 53.6e6 of the VAE's, in bf16.
  EXPECT_NEAR(static_cast<double>(memory.texts.weights), 2 * 5.68e9, 0.05e9);
  EXPECT_NEAR(static_cast<double>(memory.clips.weights), 2 * 53.6e6, 2e6);
  EXPECT_GT(memory.clips.activations, gib / 2);
  EXPECT_LT(memory.clips.activations, 40 * gib);
  EXPECT_EQ(memory.texts.total(), memory.texts.weights + memory.texts.activations + memory.texts.libraries);
  const PrepMemory single = plan_prep_memory(wan_model(ModelStorage::fp32), {}, {{480, 832}});
  EXPECT_EQ(single.texts.weights, 2 * memory.texts.weights);
  EXPECT_EQ(single.clips.weights, 2 * memory.clips.weights);
  EXPECT_GT(single.clips.activations, memory.clips.activations);
}

TEST(PrepMemory, TheLargestFramesDecideUnlessTilesCutThem) {
  const ModelParts model = wan_model();
  const auto of = [&](const VaeTiling& tiling, const std::vector<FrameSize>& sizes) {
    return plan_prep_memory(model, tiling, sizes).clips.activations;
  };
  const std::int64_t large = of({}, {{720, 1280}});
  EXPECT_GT(large, of({}, {{480, 832}}));
  EXPECT_EQ(of({}, {{480, 832}, {720, 1280}, {256, 256}}), large);
  VaeTiling tiling;
  tiling.enabled = true;
  EXPECT_LT(of(tiling, {{720, 1280}}), large);
  // Not cut.
  EXPECT_EQ(of(tiling, {{256, 256}}), of({}, {{256, 256}}));
}

TEST(PrepMemory, ALineForEachStage) {
  PrepMemory memory;
  memory.texts = {10 * gib, gib, gib};
  memory.clips = {gib, 2 * gib, gib};
  EXPECT_EQ(to_text(memory),
            "memory of a GPU for texts: text encoder 10.0 GiB, activations 1.0 GiB, libraries about 1.0 GiB, "
            "in all 12.0 GiB\n"
            "memory of a GPU for clips: VAE encoder 1.0 GiB, activations 2.0 GiB, libraries about 1.0 GiB, "
            "in all 4.0 GiB");
}

}  // namespace
}  // namespace wan
