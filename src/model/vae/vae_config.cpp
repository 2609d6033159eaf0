#include "model/vae/vae_config.hpp"

#include <algorithm>
#include <array>
#include <cmath>

#include "base/json_fields.hpp"
#include "base/text.hpp"
#include "device/ops/frames.hpp"

namespace wan {
namespace {

/// Enlarging halves the channels.
constexpr std::int64_t lowest_width = 2;
/// Far beyond any model in use; keeps every product of extents inside int64.
constexpr std::int64_t highest_width = 4096;
constexpr std::int64_t highest_count = 64;
constexpr std::size_t highest_levels = 6;

/// Mean and standard deviation of the latents that the published autoencoder makes (vae.py of the official
/// code).
using Statistics = std::array<float, 16>;
constexpr Statistics wan_mean = {-0.7571F, -0.7089F, -0.9113F, 0.1075F,  -0.1745F, 0.9653F,
                                 -0.1517F, 1.5508F,  0.4134F,  -0.0715F, 0.5517F,  -0.3632F,
                                 -0.1922F, -0.9497F, 0.2503F,  -0.2921F};
constexpr Statistics wan_std = {2.8184F, 1.4541F, 2.3275F, 2.6558F, 1.2196F, 1.7708F, 2.6052F, 2.0743F,
                                3.2687F, 2.1526F, 2.8652F, 1.5579F, 1.6382F, 1.1253F, 2.8251F, 1.9160F};

void read_statistics(const JsonFields& fields, const char* key, const Statistics& own, std::size_t channels,
                     std::vector<float>& value) {
  const bool given = fields.numbers(key, value);
  if (!given && channels == own.size()) value.assign(own.begin(), own.end());
  if (value.size() == channels) return;
  fields.refuse(key, given ? cat(value.size(), " numbers") : "none",
                cat(channels, " numbers, one for each of z_dim"));
}

void read_latent_statistics(const JsonFields& fields, VaeConfig& config) {
  const auto channels = static_cast<std::size_t>(config.z_dim);
  read_statistics(fields, "latents_mean", wan_mean, channels, config.latents_mean);
  read_statistics(fields, "latents_std", wan_std, channels, config.latents_std);
  for (const float deviation : config.latents_std) {
    if (!(deviation > 0)) fields.refuse("latents_std", cat("a list with ", deviation), "positive numbers");
  }
}

void refuse_other_versions(const JsonFields& fields) {
  const std::string why = "Wan 2.1; other autoencoders are not supported";
  fields.only("_class_name", {"AutoencoderKLWan"}, why);
  fields.only("is_residual", {false}, why);
  fields.only("attn_scales", {Json(Json::Array())}, why);
  fields.only("in_channels", {3}, why);
  fields.only("out_channels", {3}, why);
  fields.only("patch_size", {}, why);
  fields.only("decoder_base_dim", {}, why);
}

}  // namespace

VaeConfig VaeConfig::from_json(const Json& json, const std::string& source) {
  const JsonFields fields(json, source);
  VaeConfig out;
  refuse_other_versions(fields);
  fields.integer("base_dim", out.base_dim, lowest_width, highest_width);
  fields.integer("z_dim", out.z_dim, 1, FrameMap::most_scaled_channels);
  fields.integers("dim_mult", out.dim_mult, 1, highest_count);
  fields.integer("num_res_blocks", out.num_res_blocks, 1, highest_count);
  fields.flags("temperal_downsample", out.temporal_downsample);
  if (out.dim_mult.empty() || out.dim_mult.size() > highest_levels) {
    fields.refuse("dim_mult", cat(out.dim_mult.size(), " levels"), cat("1 to ", highest_levels));
  }
  if (out.temporal_downsample.size() + 1 != out.dim_mult.size()) {
    fields.refuse("temperal_downsample", cat(out.temporal_downsample.size(), " entries"),
                  cat("one fewer than dim_mult, ", out.dim_mult.size() - 1));
  }
  read_latent_statistics(fields, out);
  return out;
}

std::int64_t VaeConfig::temporal_factor() const {
  return std::int64_t{1} << std::count(temporal_downsample.begin(), temporal_downsample.end(), true);
}

}  // namespace wan
