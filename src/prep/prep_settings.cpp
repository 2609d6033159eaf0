#include "prep/prep_settings.hpp"

#include <cmath>

#include "base/text.hpp"
#include "config/value.hpp"

namespace wan {
namespace {

FitMode fit_of(const PrepOptions& options) {
  if (!options.height) return FitMode::none;
  if (options.no_aspect_ratio) return FitMode::stretch;
  return options.center_crop ? FitMode::cover : FitMode::inside;
}

std::string name_of(FitMode fit) {
  switch (fit) {
    case FitMode::none:
      return "none";
    case FitMode::cover:
      return "cover";
    case FitMode::inside:
      return "inside";
    case FitMode::stretch:
      return "stretch";
  }
  return "";
}

std::int64_t stride_of(const PrepOptions& options) {
  return options.stride.value_or(options.clip_frames);
}

TargetRate rate_of(const PrepOptions& options) {
  if (!options.fps) return std::nullopt;
  // Thousandths hold 23.976 and 59.94 as they are usually written.
  return Rational{std::llround(*options.fps * 1000), 1000};
}

std::string size_text(const DatasetSettings& s) {
  if (!s.height) return "the videos' own, cut down to multiples of 16";
  const std::string target = cat(*s.height, " high × ", *s.width, " wide");
  if (s.fit == "cover") return target + ", filled and centre-cropped";
  if (s.fit == "stretch") return target + ", stretched";
  return "within " + target + ", cut down to multiples of 16";
}

std::string clips_text(const DatasetSettings& s) {
  if (s.mode == "frames") return cat(s.num_frames, " single frames per video");
  return cat("up to ", s.clip_frames, " frames (4n + 1), one every ", s.stride, " frames from frame ",
             s.start, s.max_clips ? cat(", at most ", *s.max_clips, " per video") : std::string(),
             "; the rest of a video is a clip if it has ", s.min_tail, " frames or more");
}

}  // namespace

PrepRules rules_of(const PrepOptions& options) {
  PrepRules rules;
  rules.clips = {options.start,    options.clip_frames, stride_of(options),
                 options.min_tail, options.max_clips,   std::nullopt};
  if (options.mode == PrepMode::frames) rules.clips.single_frames = options.num_frames;
  rules.rate = rate_of(options);
  rules.fit = fit_of(options);
  rules.resize = options.resize_mode;
  rules.height = options.height.value_or(0);
  rules.width = options.width.value_or(0);
  rules.split = {options.split[0], options.split[1], options.split[2]};
  return rules;
}

DatasetSettings settings_of(const PrepOptions& options, const ModelParts& model) {
  DatasetSettings s;
  s.model = options.model;
  s.vae_hash = model.vae_hash;
  s.text_encoder_hash = model.text_encoder_hash;
  s.tokenizer_hash = model.tokenizer_hash;
  s.height = options.height;
  s.width = options.width;
  s.fit = name_of(fit_of(options));
  s.resize_mode = choice_name(options.resize_mode);
  s.mode = choice_name(options.mode);
  s.num_frames = options.num_frames;
  s.fps = options.fps;
  s.clip_frames = options.clip_frames;
  s.start = options.start;
  s.stride = stride_of(options);
  s.min_tail = options.min_tail;
  s.max_clips = options.max_clips;
  s.latents = options.stochastic ? "sample" : "mean";
  s.dtype = options.latent_dtype == Storage::bf16 ? DType::bf16 : DType::f32;
  s.encoder_dtype = choice_name(options.encoder_dtype);
  s.seed = options.seed;
  s.split = {options.split[0], options.split[1], options.split[2]};
  s.shard_maxcount = options.shard_maxcount;
  return s;
}

std::string describe(const DatasetSettings& s) {
  return cat("frames: ", size_text(s), s.fit == "none" ? std::string() : ", " + s.resize_mode, "\n",
             "frame rate: ", s.fps ? real_text(*s.fps) + " frames per second" : "each file's own", "\n",
             "clips: ", clips_text(s), "\n",                                            //
             "latents: posterior ", s.latents, ", stored as ", name_of(s.dtype), "\n",  //
             "split: train ", real_text(s.split[0]), ", validation ", real_text(s.split[1]), ", test ",
             real_text(s.split[2]), ", by a hash of the video's name");
}

}  // namespace wan
