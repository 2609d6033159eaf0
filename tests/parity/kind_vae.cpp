
#include "base/error.hpp"
#include "base/text.hpp"
#include "model/vae/posterior.hpp"
#include "model/vae/vae_clips.hpp"
#include "parity/kinds.hpp"
#include "support/tensors.hpp"
#include "weights/safetensors.hpp"
#include "weights/vae_weight_names.hpp"
#include "weights/weight_names.hpp"

namespace wan::parity {
namespace {

/// Latent frames a chunk: few, so that clips of the cases take several.
constexpr std::int64_t chunk = 2;

Shape shape_of(const SafetensorsFile& io, const std::string& name, std::int64_t channels) {
  const Shape shape = io.at(name).shape;
  if (shape.rank() != 5 || shape[0] != 1 || shape[1] != channels || shape.elements() == 0) {
    throw DataError(io.path(), cat(name, " is ", shape.text(), ", allowed: [1, ", channels, ", T, H, W]"));
  }
  return shape;
}

void compare(const Case& which, Report& report, const SafetensorsFile& io, const std::string& name,
             const std::vector<float>& found) {
  const std::vector<float> expected = io.floats(name);
  if (expected.size() != found.size()) {
    throw DataError(io.path(),
                    cat(name, " has ", expected.size(), " elements, the model gives ", found.size()));
  }
  report.compare(which, name, Quantity::forward, found.data(), expected.data(),
                 static_cast<std::int64_t>(found.size()));
}

void run_encode(const Case& which, Report& report, const Vae& vae, const SafetensorsFile& io,
                const std::string& size) {
  const Shape shape = shape_of(io, size + ".video", 3);
  const std::int64_t pixels = shape[2] * shape[3] * shape[4];
  std::vector<float> video = test::transposed(io.floats(size + ".video"), 3, pixels);
  VaeEncoder encoder(vae, {shape[3], shape[4], chunk});
  const VaeConfig& config = vae.config();
  const std::int64_t frames = config.latent_frames(shape[2]);
  const std::int64_t factor = config.spatial_factor();
  std::vector<float> mean(
      static_cast<std::size_t>(config.z_dim * frames * (shape[3] / factor) * (shape[4] / factor)));
  std::vector<float> log_variance(mean.size());
  encode_clip(encoder, Tensor(video.data(), DType::f32, {shape[2], shape[3], shape[4], 3}),
              [&](const Tensor& moments, std::int64_t first) {
                const std::vector<float> values = test::values_of(which.device, moments);
                const Moments some{values.data(), moments.shape[0], moments.shape[1], moments.shape[2]};
                write_mean(config, some, first, {mean.data(), frames});
                write_log_variance(config, some, first, {log_variance.data(), frames});
              });
  compare(which, report, io, size + ".mean", mean);
  compare(which, report, io, size + ".logvar", log_variance);
}

void run_decode(const Case& which, Report& report, const Vae& vae, const SafetensorsFile& io,
                const std::string& size) {
  const VaeConfig& config = vae.config();
  const Shape shape = shape_of(io, size + ".latent", config.z_dim);
  std::vector<float> latents = io.floats(size + ".latent");
  VaeDecoder decoder(vae, {shape[3] * config.spatial_factor(), shape[4] * config.spatial_factor(), chunk});
  std::vector<float> video;
  decode_clip(decoder, Tensor(latents.data(), DType::f32, {config.z_dim, shape[2] * shape[3] * shape[4]}),
              [&](const Tensor& frames, std::int64_t) {
                const std::vector<float> values = test::values_of(which.device, frames);
                video.insert(video.end(), values.begin(), values.end());
              });
  compare(which, report, io, size + ".decoded",
          test::transposed(video, static_cast<std::int64_t>(video.size()) / 3, 3));
}

}  // namespace

void run_vae(const Case& which, Report& report) {
  // The cases hold latents as they are, not normalised.
  Json description = which.description.at("config");
  const Json* given = description.find("z_dim");
  const auto channels = static_cast<std::size_t>(given != nullptr ? given->as_integer() : VaeConfig().z_dim);
  description.set("latents_mean", Json::Array(channels, Json(0.0)));
  description.set("latents_std", Json::Array(channels, Json(1.0)));
  const VaeConfig config = VaeConfig::from_json(description, which.file("case.json"));
  const WeightSet weights = WeightSet::open_file(which.file("weights.safetensors"));
  const SafetensorsFile io(which.file("io.safetensors"));
  const Vae vae(which.device, config, weight_source(weights, vae_weight_names(config)), which.storage());
  for (std::size_t size = 0; size < which.description.at("sizes").as_array().size(); ++size) {
    run_encode(which, report, vae, io, cat(size));
    run_decode(which, report, vae, io, cat(size));
  }
}

}  // namespace wan::parity
