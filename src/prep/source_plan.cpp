#include "prep/source_plan.hpp"

#include "base/text.hpp"
#include "data/sample.hpp"
#include "media/media_error.hpp"
#include "model/text/clean.hpp"
#include "prep/caption.hpp"
#include "prep/reject.hpp"

namespace wan {
namespace {

/// Frame sides are multiples of this many pixels: the VAE's 8 times the patches' 2.
constexpr std::int64_t side_multiple = 16;
/// A little more than 3840 × 2160; the VAE's memory grows with it.
constexpr std::int64_t most_pixels = std::int64_t{1} << 23;

}  // namespace

Fit fit_frames(const PrepRules& rules, std::int64_t width, std::int64_t height) {
  Fit fit = plan_fit(rules.fit, width, height, rules.width, rules.height);
  const std::int64_t cut_width = fit.width % side_multiple;
  const std::int64_t cut_height = fit.height % side_multiple;
  fit.crop_x += cut_width / 2;
  fit.crop_y += cut_height / 2;
  fit.width -= cut_width;
  fit.height -= cut_height;
  if (fit.width == 0 || fit.height == 0) {
    throw Reject("too_small",
                 cat("frames of ", width, "x", height, " leave nothing of ", side_multiple, " pixels"));
  }
  if (fit.width * fit.height > most_pixels) {
    throw Reject("too_large", cat("frames of ", fit.width, "x", fit.height, ", allowed: ", most_pixels,
                                  " pixels; --height and --width make them smaller"));
  }
  return fit;
}

VideoInfo probe_source(const std::string& path) {
  try {
    return probe_video(path);
  } catch (const MediaError& error) {
    throw Reject(error.reason, error.what());
  }
}

SourcePlan plan_source(const PrepRules& rules, const Tokenizer& tokenizer, const std::string& folder,
                       const std::string& source) {
  const std::string path = folder + "/" + source;
  SourcePlan plan;
  plan.caption = read_caption(path);
  const VideoInfo info = probe_source(path);
  const Fit fit = fit_frames(rules, info.width, info.height);
  plan.frames = resampled_count(info.timeline, rules.rate);
  plan.fps = rules.rate ? rules.rate->value() : info.frame_rate.value();
  plan.height = fit.height;
  plan.width = fit.width;
  plan.text_rows = static_cast<std::int64_t>(tokenizer.ids(clean_prompt(plan.caption)).size());
  if (cut_clips(plan.frames, rules.clips).empty()) {
    throw Reject("too_short", cat("has ", plan.frames, " frames, clips start at ", rules.clips.start));
  }
  return plan;
}

std::vector<Row> rows_of(const PrepRules& rules, const VaeConfig& vae, const std::string& source,
                         const SourcePlan& plan) {
  std::vector<Row> rows;
  for (const Clip& clip : cut_clips(plan.frames, rules.clips)) {
    Row row;
    row.id = sample_id(source, clip.start, clip.frames);
    row.source = source;
    row.caption = plan.caption;
    row.split = split_of(source, rules.split);
    row.frame_start = clip.start;
    row.frame_count = clip.frames;
    row.fps = plan.fps;
    row.height = plan.height;
    row.width = plan.width;
    row.latent = {vae.z_dim, vae.latent_frames(clip.frames), plan.height / vae.spatial_factor(),
                  plan.width / vae.spatial_factor()};
    row.text_rows = plan.text_rows;
    rows.push_back(std::move(row));
  }
  return rows;
}

Json to_json(const SourcePlan& plan) {
  Json json;
  json.set("frames", plan.frames);
  json.set("fps", plan.fps);
  json.set("height", plan.height);
  json.set("width", plan.width);
  json.set("caption", plan.caption);
  json.set("text_rows", plan.text_rows);
  return json;
}

SourcePlan source_plan_from_json(const Json& json) {
  return {json.at("frames").as_integer(), json.at("fps").as_number(),     json.at("height").as_integer(),
          json.at("width").as_integer(),  json.at("caption").as_string(), json.at("text_rows").as_integer()};
}

}  // namespace wan
