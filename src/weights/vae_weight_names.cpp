#include "weights/vae_weight_names.hpp"

#include "base/text.hpp"

namespace wan {
namespace {

/// Collects names. A kernel is written as its extents: {3, 3, 3} (time, height, width) or {3, 3} (a frame's
/// own).
class Names {
 public:
  void conv(const std::string& name, const std::string& official, std::int64_t outputs, std::int64_t inputs,
            std::initializer_list<std::int64_t> kernel) {
    Shape shape = {outputs, inputs};
    for (const std::int64_t extent : kernel) shape.append(extent);
    names_.push_back({name + ".weight", official + ".weight", shape});
    names_.push_back({name + ".bias", official + ".bias", {outputs}});
  }

  void gamma(const std::string& name, const std::string& official, const Shape& shape) {
    names_.push_back({name + ".gamma", official + ".gamma", shape});
  }

  void residual(const std::string& name, const std::string& official, std::int64_t inputs,
                std::int64_t outputs) {
    gamma(name + ".norm1", official + ".residual.0", {inputs, 1, 1, 1});
    conv(name + ".conv1", official + ".residual.2", outputs, inputs, {3, 3, 3});
    gamma(name + ".norm2", official + ".residual.3", {outputs, 1, 1, 1});
    conv(name + ".conv2", official + ".residual.6", outputs, outputs, {3, 3, 3});
    if (inputs != outputs) conv(name + ".conv_shortcut", official + ".shortcut", outputs, inputs, {1, 1, 1});
  }

  void middle(const std::string& coder, std::int64_t width) {
    const std::string name = coder + ".mid_block";
    const std::string official = coder + ".middle";
    residual(name + ".resnets.0", official + ".0", width, width);
    gamma(name + ".attentions.0.norm", official + ".1.norm", {width, 1, 1});
    conv(name + ".attentions.0.to_qkv", official + ".1.to_qkv", 3 * width, width, {1, 1});
    conv(name + ".attentions.0.proj", official + ".1.proj", width, width, {1, 1});
    residual(name + ".resnets.1", official + ".2", width, width);
  }

  void head(const std::string& coder, std::int64_t outputs, std::int64_t width) {
    gamma(coder + ".norm_out", coder + ".head.0", {width, 1, 1, 1});
    conv(coder + ".conv_out", coder + ".head.2", outputs, width, {3, 3, 3});
  }

  std::vector<WeightName> take() { return std::move(names_); }

 private:
  std::vector<WeightName> names_;
};

void add_encoder(Names& names, const VaeConfig& config) {
  names.conv("encoder.conv_in", "encoder.conv1", config.base_dim, 3, {3, 3, 3});
  std::int64_t width = config.base_dim;  // whatever the first level's multiple
  std::int64_t position = 0;             // both codes number residual blocks and samplers in one sequence
  const auto next = [&](const char* list) { return cat("encoder.", list, ".", position); };
  for (std::int64_t level = 0; level < config.levels(); ++level) {
    for (std::int64_t block = 0; block < config.num_res_blocks; ++block, ++position) {
      names.residual(next("down_blocks"), next("downsamples"), width, config.width(level));
      width = config.width(level);
    }
    if (level + 1 == config.levels()) break;
    names.conv(next("down_blocks") + ".resample.1", next("downsamples") + ".resample.1", width, width,
               {3, 3});
    if (config.temporal_downsample[static_cast<std::size_t>(level)]) {
      names.conv(next("down_blocks") + ".time_conv", next("downsamples") + ".time_conv", width, width,
                 {3, 1, 1});
    }
    ++position;
  }
  names.middle("encoder", width);
  names.head("encoder", 2 * config.z_dim, width);
}

void add_decoder(Names& names, const VaeConfig& config) {
  const std::int64_t last = config.levels() - 1;
  std::int64_t width = config.width(last);
  names.conv("decoder.conv_in", "decoder.conv1", width, config.z_dim, {3, 3, 3});
  names.middle("decoder", width);
  std::int64_t position = 0;
  for (std::int64_t level = last; level >= 0; --level) {
    const std::string up_block = cat("decoder.up_blocks.", last - level);
    for (std::int64_t block = 0; block <= config.num_res_blocks; ++block, ++position) {
      names.residual(cat(up_block, ".resnets.", block), cat("decoder.upsamples.", position), width,
                     config.width(level));
      width = config.width(level);
    }
    if (level == 0) break;
    const std::string official = cat("decoder.upsamples.", position++);
    names.conv(up_block + ".upsamplers.0.resample.1", official + ".resample.1", width / 2, width, {3, 3});
    if (config.temporal_downsample[static_cast<std::size_t>(level - 1)]) {
      names.conv(up_block + ".upsamplers.0.time_conv", official + ".time_conv", 2 * width, width, {3, 1, 1});
    }
    width /= 2;
  }
  names.head("decoder", 3, width);
}

}  // namespace

std::vector<WeightName> vae_weight_names(const VaeConfig& config) {
  Names names;
  add_encoder(names, config);
  names.conv("quant_conv", "conv1", 2 * config.z_dim, 2 * config.z_dim, {1, 1, 1});
  names.conv("post_quant_conv", "conv2", config.z_dim, config.z_dim, {1, 1, 1});
  add_decoder(names, config);
  return names.take();
}

}  // namespace wan
