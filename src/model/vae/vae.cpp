#include "model/vae/vae.hpp"

#include <algorithm>

#include "base/error.hpp"
#include "base/text.hpp"
#include "device/ops/plan/plan_frame_ops.hpp"
#include "device/ops/plan/plan_ops.hpp"

namespace wan {
namespace {

/// On CPUs one latent frame at a time is as fast as several, and needs the least memory. A GPU is filled by
/// several only where frames are small; as many as a third of a clip of 81 frames has, and so few that an
/// activation at full resolution has less than 2^30 elements, which keeps 720p within 40 GiB.
std::int64_t default_chunk(const VaeConfig& config, const VaeGeometry& geometry, DeviceKind device) {
  constexpr std::int64_t most_frames = 7;
  constexpr std::int64_t most_elements = std::int64_t{1} << 30;
  if (device == DeviceKind::host) return 1;
  const std::int64_t frame = geometry.height * geometry.width * config.base_dim * config.temporal_factor();
  return std::clamp<std::int64_t>(most_elements / frame, 1, most_frames);
}

/// The costs of a full first and a full later chunk, each walked by `chunk(walk, first)`.
template <class Chunk>
VaePlan plan(const Chunk& chunk) {
  PlanOps ops;
  PlanFrameOps frames;
  FrameWalk walk(ops, frames);
  const auto flops = [&] { return ops.total().flops + frames.total().flops; };
  VaePlan out;
  walk.begin_clip();
  chunk(walk, true);
  out.flops_first_chunk = flops();
  chunk(walk, false);
  out.flops_next_chunk = flops() - out.flops_first_chunk;
  out.memory = walk.peak();
  return out;
}

VaeBuilder planning_builder(PlanFrameOps& frames, DType storage) {
  return {frames, nullptr, nullptr, storage};
}

}  // namespace

Vae::Vae(Device& device, VaeConfig config, const Parameters::Source& source, DType storage, VaeParts parts)
    : device_(&device), config_(std::move(config)) {
  const VaeBuilder builder{device.frame_ops(), &device, &source, storage};
  if (parts != VaeParts::decoder) encoder_ = std::make_unique<VaeEncoderNet>(builder, config_);
  if (parts != VaeParts::encoder) decoder_ = std::make_unique<VaeDecoderNet>(builder, config_);
}

const VaeEncoderNet& Vae::encoder() const {
  if (!encoder_) throw InternalError("[vae] the encoder was not loaded");
  return *encoder_;
}

const VaeDecoderNet& Vae::decoder() const {
  if (!decoder_) throw InternalError("[vae] the decoder was not loaded");
  return *decoder_;
}

std::int64_t weight_elements(const VaeConfig& config, VaeParts parts) {
  std::int64_t elements = 0;
  const Parameters::Source count = [&](const ParameterSpec& spec, float*) {
    elements += spec.shape.elements();
  };
  PlanFrameOps frames;
  const VaeBuilder builder{frames, nullptr, &count, DType::f32};
  if (parts != VaeParts::decoder) (void)VaeEncoderNet(builder, config);
  if (parts != VaeParts::encoder) (void)VaeDecoderNet(builder, config);
  return elements;
}

VaeGeometry checked_geometry(const VaeConfig& config, const VaeGeometry& geometry, DeviceKind device) {
  const std::int64_t factor = config.spatial_factor();
  const auto check = [&](const char* key, std::int64_t extent) {
    if (extent < factor || extent % factor != 0) {
      throw ConfigError(key, cat("found ", extent, ", allowed: positive multiples of ", factor));
    }
  };
  check("height", geometry.height);
  check("width", geometry.width);
  if (geometry.chunk < 0) throw ConfigError("chunk", cat("found ", geometry.chunk, ", allowed: 0 and above"));
  VaeGeometry out = geometry;
  if (out.chunk == 0) out.chunk = default_chunk(config, out, device);
  return out;
}

VaePlan plan_encode(const VaeEncoderNet& net, const VaeConfig& config, const VaeGeometry& geometry) {
  const VaeGeometry g = checked_geometry(config, geometry);
  return plan([&](FrameWalk& walk, bool first) {
    const std::int64_t frames = first ? config.video_frames(g.chunk) : g.chunk * config.temporal_factor();
    walk.begin_chunk();
    const Arena::Scope scope(walk.scratch());
    const Tensor video = walk.scratch().allocate(DType::f32, {frames, g.height, g.width, 3});
    (void)net.forward(walk, video);
  });
}

VaePlan plan_decode(const VaeDecoderNet& net, const VaeConfig& config, const VaeGeometry& geometry) {
  const VaeGeometry g = checked_geometry(config, geometry);
  const std::int64_t factor = config.spatial_factor();
  const Shape grid{g.chunk, g.height / factor, g.width / factor, config.z_dim};
  return plan([&](FrameWalk& walk, bool) {
    walk.begin_chunk();
    const Arena::Scope scope(walk.scratch());
    const Tensor latents =
        walk.scratch().allocate(DType::f32, {config.z_dim, grid.elements() / config.z_dim});
    (void)net.forward(walk, latents, grid);
  });
}

VaePlan plan_encode(const VaeConfig& config, DType storage, const VaeGeometry& geometry) {
  PlanFrameOps frames;
  return plan_encode(VaeEncoderNet(planning_builder(frames, storage), config), config, geometry);
}

VaePlan plan_decode(const VaeConfig& config, DType storage, const VaeGeometry& geometry) {
  PlanFrameOps frames;
  return plan_decode(VaeDecoderNet(planning_builder(frames, storage), config), config, geometry);
}

}  // namespace wan
