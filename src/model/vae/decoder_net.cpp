#include "model/vae/decoder_net.hpp"

#include "base/text.hpp"

namespace wan {
namespace {

constexpr std::int64_t colours = 3;

}  // namespace

VaeDecoderNet::VaeDecoderNet(const VaeBuilder& builder, const VaeConfig& config)
    : storage_(builder.storage),
      mean_(config.latents_mean),
      deviation_(config.latents_std),
      post_quant_(builder.conv("post_quant_conv", pointwise_conv(config.z_dim, config.z_dim))),
      input_(builder, "decoder.conv_in", config.z_dim, config.width(config.levels() - 1)),
      middle_(builder, "decoder.mid_block", config.width(config.levels() - 1)),
      output_(builder, "decoder.norm_out", "decoder.conv_out", config.width(0), colours) {
  std::int64_t channels = config.width(config.levels() - 1);
  for (std::int64_t level = config.levels() - 1; level >= 0; --level) {
    const std::string name = cat("decoder.up_blocks.", levels_.size());
    Level& layers = levels_.emplace_back();
    for (std::int64_t block = 0; block <= config.num_res_blocks; ++block) {
      layers.blocks.emplace_back(builder, cat(name, ".resnets.", block), channels, config.width(level));
      channels = config.width(level);
    }
    if (level > 0) {
      layers.up.emplace(builder, name + ".upsamplers.0", channels,
                        config.temporal_downsample[static_cast<std::size_t>(level - 1)]);
      channels /= 2;
    }
  }
}

Tensor VaeDecoderNet::enter(FrameWalk& walk, const Tensor& latents, const Shape& grid) const {
  const Tensor x = walk.turn(storage_, with_channels(grid, input_.outputs()));
  const Arena::Scope scope(walk.scratch());
  const Tensor unnormalised = walk.scratch().allocate(storage_, grid);
  FrameMap unnormalise;
  unnormalise.x = latents;
  unnormalise.from = FrameLayout::planes;
  unnormalise.scale = deviation_;
  unnormalise.shift = mean_;
  unnormalise.y = unnormalised;
  walk.frames().map(unnormalise);
  const CausalInput input = input_.input(walk, grid);
  walk.frames().conv({unnormalised, post_quant_.get(), 0, false, input.fresh});
  input_.forward(walk, input, x, false);
  return x;
}

Tensor VaeDecoderNet::forward(FrameWalk& walk, const Tensor& latents, const Shape& grid) const {
  Tensor x = middle_.forward(walk, enter(walk, latents, grid));
  for (const Level& level : levels_) {
    for (const ResidualBlock& block : level.blocks) x = block.forward(walk, x);
    if (level.up) x = level.up->forward(walk, x);
  }
  const Tensor video = walk.turn(DType::f32, with_channels(x.shape, colours));
  output_.forward(walk, x, video, false);
  return video;
}

}  // namespace wan
