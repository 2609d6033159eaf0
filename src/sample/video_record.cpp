#include "sample/video_record.hpp"

#include <filesystem>

#include "base/error.hpp"
#include "base/file.hpp"
#include "base/text.hpp"
#include "base/version.hpp"

namespace wan {
namespace {

constexpr const char* latent_key = "latent_hash";
constexpr const char* video_key = "video_hash";

template <class T>
Json or_null(const std::optional<T>& value) {
  return value ? Json(*value) : Json();
}

bool holds_all(const Json& found, const Json& wanted) {
  for (const auto& [key, value] : wanted.as_object()) {
    const Json* member = found.find(key);
    if (member == nullptr || member->dump() != value.dump()) return false;
  }
  return true;
}

}  // namespace

VideoRecord::VideoRecord(const SampleOptions& options, const SampledModel& model, const VideoRequest& request,
                         const std::optional<Hash128>& noise) {
  settings_.set("prompt", request.prompt)
      .set("negative_prompt", request.negative_prompt)
      .set("seed", static_cast<std::int64_t>(request.seed))
      .set("height", request.size.height)
      .set("width", request.size.width)
      .set("frames", request.frames)
      .set("fps", options.fps)
      .set("steps", options.sample_steps)
      .set("shift", options.sample_shift)
      .set("guidance", options.sample_guide_scale)
      .set("solver", choice_name(options.sample_solver))
      .set("sigma_grid", choice_name(options.sigma_grid))
      .set("params_dtype", choice_name(options.params_dtype))
      .set("encoder_dtype", choice_name(options.encoder_dtype))
      .set("reference", options.reference)
      .set("noise_hash", noise ? Json(to_hex(*noise)) : Json())
      .set("weights_hash", to_hex(model.origin.hash))
      .set("vae_hash", to_hex(model.parts.vae_hash))
      .set("text_encoder_hash", to_hex(model.parts.text_encoder_hash))
      .set("tokenizer_hash", to_hex(model.parts.tokenizer_hash));
  sources_.set("weights_path", model.origin.path)
      .set("weights_step", or_null(model.origin.step))
      .set("weights", model.origin.averaged ? "ema" : "raw")
      .set("model", model.parts.folder)
      .set("noise", or_null(options.noise))
      .set("program", "wan-sample " + version_text());
}

std::optional<Hash128> VideoRecord::finished(const std::string& path, const std::string& video) const {
  if (!std::filesystem::exists(path) || !std::filesystem::exists(video)) return std::nullopt;
  try {
    const Json found = Json::parse_file(path);
    if (!holds_all(found, settings_)) return std::nullopt;
    if (found.at(video_key).as_string() != to_hex(file_hash(video))) return std::nullopt;
    return hash_from_hex(found.at(latent_key).as_string(), path);
  } catch (const Error&) {
    // Whatever lies there, it is no record of this video.
    return std::nullopt;
  }
}

void VideoRecord::write(const std::string& path, const std::string& video, const Hash128& latent) const {
  Json record = settings_;
  for (const auto& [key, value] : sources_.as_object()) record.set(key, value);
  record.set(latent_key, to_hex(latent)).set(video_key, to_hex(file_hash(video)));
  write_file_atomically(path, record.dump(1) + "\n");
}

}  // namespace wan
