#include "model/vae/encoder_net.hpp"

#include "base/text.hpp"

namespace wan {
namespace {

constexpr std::int64_t colours = 3;

}  // namespace

VaeEncoderNet::VaeEncoderNet(const VaeBuilder& builder, const VaeConfig& config)
    : storage_(builder.storage),
      input_(builder, "encoder.conv_in", colours, config.base_dim),
      middle_(builder, "encoder.mid_block", config.width(config.levels() - 1)),
      output_(builder, "encoder.norm_out", "encoder.conv_out", config.width(config.levels() - 1),
              2 * config.z_dim),
      quant_(builder.conv("quant_conv", pointwise_conv(2 * config.z_dim, 2 * config.z_dim))) {
  std::int64_t channels = config.base_dim;
  int number = 0;  // blocks and resamplers are numbered together
  for (std::int64_t level = 0; level < config.levels(); ++level) {
    Level& layers = levels_.emplace_back();
    for (std::int64_t block = 0; block < config.num_res_blocks; ++block) {
      layers.blocks.emplace_back(builder, cat("encoder.down_blocks.", number++), channels,
                                 config.width(level));
      channels = config.width(level);
    }
    if (level + 1 < config.levels()) {
      layers.down.emplace(builder, cat("encoder.down_blocks.", number++), channels,
                          config.temporal_downsample[static_cast<std::size_t>(level)]);
    }
  }
}

Tensor VaeEncoderNet::forward(FrameWalk& walk, const Tensor& video) const {
  Tensor x = walk.turn(storage_, with_channels(video.shape, input_.outputs()));
  {
    const Arena::Scope scope(walk.scratch());
    const CausalInput input = input_.input(walk, video.shape);
    FrameMap to_storage;
    to_storage.x = video;
    if (video.dtype == DType::u8) {
      to_storage.scale.assign(colours, 2.0F / 255.0F);
      to_storage.shift.assign(colours, -1.0F);
    }
    to_storage.y = input.fresh;
    walk.frames().map(to_storage);
    input_.forward(walk, input, x, false);
  }
  for (const Level& level : levels_) {
    for (const ResidualBlock& block : level.blocks) x = block.forward(walk, x);
    if (level.down) x = level.down->forward(walk, x);
  }
  x = middle_.forward(walk, x);
  const Arena::Scope scope(walk.scratch());
  const Shape shape = with_channels(x.shape, output_.outputs());
  const Tensor hidden = walk.scratch().allocate(storage_, shape);
  output_.forward(walk, x, hidden, false);
  const Tensor moments = walk.turn(DType::f32, shape);
  walk.frames().conv({hidden, quant_.get(), 0, false, moments});
  return moments;
}

}  // namespace wan
