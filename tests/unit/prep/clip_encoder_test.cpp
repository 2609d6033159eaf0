#include "prep/clip_encoder.hpp"

#include <gtest/gtest.h>

#include <deque>
#include <thread>

#include "base/error.hpp"
#include "base/philox.hpp"
#include "device/out_of_memory.hpp"
#include "model/vae/posterior.hpp"
#include "model/vae/vae_clips.hpp"
#include "prep/prep_advice.hpp"
#include "support/forwarding_device.hpp"
#include "support/tensors.hpp"
#include "weights/random_weights.hpp"

// Clips that overlap on their way give the bits of clips one after the other.
namespace wan {
namespace {

VaeConfig small_config() {
  VaeConfig config;
  config.base_dim = 4;
  config.num_res_blocks = 1;
  config.latents_mean.assign(16, 0.1F);
  config.latents_std.assign(16, 1.3F);
  return config;
}

Row row_of(std::uint64_t id, std::int64_t frames, std::int64_t height, std::int64_t width) {
  Row row;
  row.id = id;
  row.source = "clip";
  row.frame_count = frames;
  row.height = height;
  row.width = width;
  row.latent = {16, 1 + (frames - 1) / 4, height / 8, width / 8};
  return row;
}

std::vector<std::uint8_t> pixels_of(const Row& row) {
  std::vector<std::uint8_t> out(static_cast<std::size_t>(row.frame_count * row.height * row.width * 3));
  for (std::size_t i = 0; i < out.size(); ++i) {
    out[i] = static_cast<std::uint8_t>((i * 2654435761U + row.id * 40503U) >> 13);
  }
  return out;
}

void push_frames(const Row& row, std::int64_t frames, FrameQueue& queue) {
  const std::vector<std::uint8_t> pixels = pixels_of(row);
  for (std::int64_t k = 0; k < frames; ++k) {
    Image image(row.width, row.height);
    const auto bytes = static_cast<std::ptrdiff_t>(image.rgb.size());
    image.rgb.assign(pixels.begin() + k * bytes, pixels.begin() + (k + 1) * bytes);
    if (!queue.push(std::move(image))) return;
  }
  queue.finish(0);
}

class ClipEncoderTest : public ::testing::Test {
 protected:
  /// What the row's latent is by a VaeEncoder alone.
  [[nodiscard]] std::vector<float> alone(const Row& row, std::optional<std::uint64_t> seed) {
    std::vector<std::uint8_t> pixels = pixels_of(row);
    VaeEncoder encoder(vae_, {row.height, row.width, 0});
    std::vector<float> latent(static_cast<std::size_t>(row.latent.elements()));
    const Tensor video(pixels.data(), DType::u8, {row.frame_count, row.height, row.width, 3});
    encode_clip(encoder, video, [&](const Tensor& part, std::int64_t first) {
      const std::vector<float> values = test::values_of(test::test_device(), part);
      const Moments moments{values.data(), part.shape[0], part.shape[1], part.shape[2]};
      const LatentClip out{latent.data(), row.latent.frames};
      if (seed) {
        write_normalised_sample(config_, moments, first, random_key(*seed, row.id, 0, Purpose::posterior),
                                out);
      } else {
        write_normalised_mean(config_, moments, first, out);
      }
    });
    return latent;
  }

  VaeConfig config_ = small_config();
  Vae vae_{test::test_device(), config_, random_weights(4), DType::f32, VaeParts::encoder};
};

TEST_F(ClipEncoderTest, ClipsUnderWayTogetherAreTheClipsAlone) {
  ClipEncoder clips(vae_, {});
  const std::vector<Row> rows = {row_of(1, 13, 32, 48), row_of(2, 9, 32, 48), row_of(3, 1, 16, 16),
                                 row_of(4, 5, 32, 48), row_of(5, 5, 32, 48)};
  for (const std::optional<std::uint64_t> seed :
       {std::optional<std::uint64_t>(), std::optional<std::uint64_t>(7)}) {
    std::deque<std::pair<const Row*, ClipMoments>> under_way;
    const auto check_first = [&] {
      const auto& [row, moments] = under_way.front();
      test::test_device().await(moments.done);
      EXPECT_EQ(latent_of(config_, seed, *row, moments.values.get()), alone(*row, seed)) << row->id;
      under_way.pop_front();
    };
    for (const Row& row : rows) {
      FrameQueue queue(1 << 20);
      std::thread decoder([&] { push_frames(row, row.frame_count, queue); });
      under_way.emplace_back(&row, clips.start(row, queue));
      decoder.join();
      if (under_way.size() == 2) check_first();
    }
    while (!under_way.empty()) check_first();
  }
}

TEST_F(ClipEncoderTest, AClipThatBreaksOffLeavesTheOthersAlone) {
  ClipEncoder clips(vae_, {});
  const Row before = row_of(1, 9, 32, 48);
  const Row broken = row_of(2, 9, 32, 48);
  const Row after = row_of(3, 9, 32, 48);
  FrameQueue first(1 << 20);
  push_frames(before, 9, first);
  const ClipMoments good = clips.start(before, first);
  for (int again = 0; again < 5; ++again) {  // more often than there is room for
    FrameQueue second(1 << 20);
    for (int k = 0; k < 6; ++k) (void)second.push(Image(48, 32));
    second.fail(Reject("undecodable", "it ends"));
    EXPECT_THROW((void)clips.start(broken, second), Reject);
  }
  FrameQueue third(1 << 20);
  push_frames(after, 9, third);
  const ClipMoments next = clips.start(after, third);
  test::test_device().await(next.done);
  EXPECT_EQ(latent_of(config_, {}, before, good.values.get()), alone(before, {}));
  EXPECT_EQ(latent_of(config_, {}, after, next.values.get()), alone(after, {}));
}

/// Has no memory for more than it is asked to.
class SmallDevice final : public test::ForwardingDevice {
 public:
  using ForwardingDevice::ForwardingDevice;
  [[nodiscard]] DeviceKind kind() const override { return kind_; }
  [[nodiscard]] void* allocate(std::int64_t bytes) override {
    if (bytes > most) throw OutOfMemory(bytes, "the device is full");
    return ForwardingDevice::allocate(bytes);
  }
  void pretend(DeviceKind kind) { kind_ = kind; }
  std::int64_t most = std::int64_t{1} << 40;

 private:
  DeviceKind kind_ = ForwardingDevice::kind();
};

TEST_F(ClipEncoderTest, AfterFramesThatFoundNoMemoryOthersStillFit) {
  SmallDevice device(test::test_device());
  const Vae vae(device, config_, random_weights(4), DType::f32, VaeParts::encoder);
  VaeTiling tiling;
  tiling.enabled = true;
  ClipEncoder clips(vae, tiling);
  const Row small = row_of(2, 5, 16, 16);
  device.most = std::int64_t{4} << 20;
  for (const std::int64_t width : {256, 264}) {  // whole, and by tiles
    const Row large = row_of(1, 5, 256, width);
    FrameQueue first(1 << 20);
    push_frames(large, 5, first);
    try {
      (void)clips.start(large, first);
      FAIL() << "it fits";
    } catch (const OutOfMemory& error) {
      EXPECT_GT(error.asked, device.most);
    }
  }
  FrameQueue second(1 << 20);
  push_frames(small, 5, second);
  const ClipMoments moments = clips.start(small, second);
  device.await(moments.done);
  EXPECT_EQ(latent_of(config_, {}, small, moments.values.get()), alone(small, {}));
}

TEST_F(ClipEncoderTest, AGpuThatIsTooSmallLeadsToAdvice) {
  SmallDevice device(test::test_device());
  device.most = 0;
  VaeTiling tiling;
  const auto said = [&](ModelStorage encoders) -> std::string {
    try {
      with_prep_advice(device, tiling, encoders, [&] { (void)device.allocate(1); });
    } catch (const OutOfMemory& error) {
      EXPECT_EQ(error.asked, 1);
      EXPECT_EQ(error.code(), ExitCode::comm);
      return error.what();
    }
    return "it fits";
  };
  device.pretend(DeviceKind::host);
  EXPECT_EQ(said(ModelStorage::fp32), "the device is full");
  device.pretend(DeviceKind::cuda);
  EXPECT_EQ(
      said(ModelStorage::fp32),
      "the device is full; what helps is --encoder_dtype bf16 or a GPU that nobody else uses or that has "
      "more memory; for clips also --vae_tiling (which cuts frames of more than 256 high x 256 wide) or "
      "smaller frames");
  tiling.enabled = true;
  EXPECT_EQ(
      said(ModelStorage::automatic),
      "the device is full; what helps is a GPU that nobody else uses or that has more memory; for clips "
      "also smaller frames");
}

TEST_F(ClipEncoderTest, TooManyOrTooFewFramesAreAnError) {
  ClipEncoder clips(vae_, {});
  for (const std::int64_t frames : {8, 10}) {
    const Row row = row_of(1, 9, 16, 16);
    FrameQueue queue(1 << 20);
    for (std::int64_t k = 0; k < frames; ++k) (void)queue.push(Image(16, 16));
    queue.finish(0);
    EXPECT_THROW((void)clips.start(row, queue), InternalError) << frames;
  }
}

TEST_F(ClipEncoderTest, FramesThatTilingCutsAreEncodedByTiles) {
  VaeTiling tiling;
  tiling.enabled = true;
  tiling.tile_sample_min_height = tiling.tile_sample_min_width = 32;
  tiling.tile_sample_stride_height = tiling.tile_sample_stride_width = 24;
  ClipEncoder clips(vae_, tiling);
  const Row row = row_of(1, 5, 32, 48);
  FrameQueue queue(1 << 20);
  push_frames(row, 5, queue);
  const ClipMoments moments = clips.start(row, queue);
  std::vector<std::uint8_t> pixels = pixels_of(row);
  std::vector<float> expected(static_cast<std::size_t>(2 * row.latent.elements()));
  TiledEncoder(vae_, tiling).encode(Tensor(pixels.data(), DType::u8, {5, 32, 48, 3}), expected.data());
  EXPECT_EQ(std::vector<float>(moments.values.get(), moments.values.get() + expected.size()), expected);
  EXPECT_GT(test::relative_l2(latent_of(config_, {}, row, moments.values.get()), alone(row, {})), 1e-4);
}

}  // namespace
}  // namespace wan
