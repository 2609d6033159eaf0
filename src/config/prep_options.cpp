#include "config/prep_options.hpp"

#include "base/error.hpp"
#include "base/text.hpp"

namespace wan {

namespace {

Value plain(const std::string& text) {
  return {text, false, false, {}};
}

// "native" or a positive number.
std::optional<double> parse_fps(const std::string& text) {
  if (text == "native") return std::nullopt;
  const std::optional<double> number = as_real(plain(text));
  if (!number || *number <= 0 || *number > 1000) {
    throw UsageError("--fps: found '" + text + "', allowed: native or a number in (0, 1000]");
  }
  return number;
}

std::vector<double> parse_split(const std::string& text) {
  std::vector<double> out;
  double sum = 0;
  for (const std::string& part : split(text, ',')) {
    const std::optional<double> weight = as_real(plain(std::string(trim(part))));
    if (!weight || *weight < 0) break;
    out.push_back(*weight);
    sum += *weight;
  }
  if (out.size() != 3 || sum <= 0 || out[0] <= 0 || split(text, ',').size() != 3) {
    throw UsageError("--split: found '" + text +
                     "', allowed: three weights train,validation,test such as 8,1,1");
  }
  return out;
}

// "i/N" with 0 <= i < N.
void parse_part(const std::string& text, PrepOptions& options) {
  const std::vector<std::string> sides = split(text, '/');
  const std::optional<std::int64_t> part = as_integer(plain(sides.front()));
  const std::optional<std::int64_t> parts = as_integer(plain(sides.back()));
  if (sides.size() != 2 || !part || !parts || *part < 0 || *part >= *parts) {
    throw UsageError("--part: found '" + text + "', allowed: i/N with i from 0 to N - 1");
  }
  options.part = *part;
  options.parts = *parts;
}

void check(const PrepOptions& options) {
  if (options.height.has_value() != options.width.has_value()) {
    throw UsageError("--height and --width: found one of them, allowed: both or neither");
  }
  if (options.clip_frames % 4 != 1) {
    throw UsageError(
        cat("--clip_frames: found ", options.clip_frames, ", allowed: 4n + 1, such as 17, 49 or 81"));
  }
  if (options.finalize && options.parts != 1) {
    throw UsageError(
        "--part and --finalize: found both, allowed: one of them; --finalize follows the last part");
  }
  for (const std::optional<std::int64_t>& side : {options.height, options.width}) {
    if (side && *side % 16 != 0) {
      throw UsageError(
          cat("--height and --width: found ", *side, ", allowed: multiples of 16 (VAE 8, patch 2)"));
    }
  }
}

}  // namespace

Invocation<PrepOptions> parse_prep_options(const std::vector<std::string>& arguments) {
  Invocation<PrepOptions> out;
  PrepOptions& o = out.options;
  std::string fps = "16";
  std::string split_weights = "8,1,1";
  std::string part = "0/1";
  CommandLine line(
      "wan-prep", "--video_folder DIR --output_dir DIR [flags]",
      "Turns a folder of videos with .json or .jsonl captions into a data set of VAE latents and text "
      "embeddings. Started again, it continues.");
  line.flag("video_folder", o.video_folder,
            "folder of .mp4, .mkv, .webm and .mov files with captions beside them")
      .required()
      .flag("output_dir", o.output_dir, "the data set's folder")
      .required()
      .flag("model", o.model,
            "model folder in the diffusers layout, or a public id found in $WAN_MODELS or the cache")
      .flag("height", o.height, within(16, 16384), "pixels", "target height; null keeps the video's")
      .flag("width", o.width, within(16, 16384), "pixels", "target width")
      .flag("resize_mode", o.resize_mode, "interpolation")
      .flag("no-aspect-ratio", o.no_aspect_ratio, "stretch to the target instead of keeping the aspect ratio")
      .flag("center-crop", o.center_crop, "fill the target and cut the rest off, instead of fitting inside")
      .flag("mode", o.mode, "whole clips, or single frames as one-frame videos")
      .flag("num-frames", o.num_frames, within(1, 1e6), "frames", "frames per video in --mode frames")
      .flag("fps", fps, "frames per second to sample at: a number, or native for the file's own")
      .flag("clip_frames", o.clip_frames, within(1, 100001), "frames", "longest clip, 4n + 1")
      .flag("start", o.start, within(0, 1e9), "frames", "first frame used of every video")
      .flag("stride", o.stride, within(1, 1e9), "frames", "between the starts of clips; null: clip_frames")
      .flag("min_tail", o.min_tail, within(1, 100001), "frames",
            "what a video's end leaves behind its last whole clip is dropped if shorter; its first clip "
            "never is")
      .flag("max_clips", o.max_clips, within(1, 1e9), "clips", "per video; null: all")
      .flag("recursive", o.recursive, "look into folders below video_folder too")
      .flag("stochastic", o.stochastic, "store a sample of the VAE's posterior instead of its mean")
      .flag("latent_dtype", o.latent_dtype, "how latents are stored")
      .flag("encoder_dtype", o.encoder_dtype,
            "storage of VAE and text encoder; auto: bf16 on a GPU, fp32 on the host")
      .flag("random-weights", o.random_weights, at_least(0), "seed",
            "measure speed with random weights where --model has configurations and tokenizer only")
      .flag("split", split_weights,
            "weights of train, validation and test; a video always stays in one of them")
      .flag("part", part, "i/N: do only the i-th of N parts, i from 0, for job arrays")
      .flag("finalize", o.finalize, "join the parts of a job array into one index")
      .flag("dry-run", o.dry_run,
            "check flags, model, videos and output_dir, print what would be made and what that takes of a "
            "GPU's memory, and end")
      .flag("shard_maxcount", o.shard_maxcount, within(1, 1e9), "videos",
            "per shard file; parts of a job array take whole shards")
      .flag("seed", o.seed, at_least(0), "", "seed of --stochastic")
      .flag("threads", o.threads, within(1, 4096), "threads", "per rank; null: cores / ranks of this host")
      .flag("reference", o.reference, "compute with the slow, obvious ops that tests compare with")
      .ignore("device", "the program was built for one kind of device")
      .ignore("no-memory-optimization", "the VAE always encodes whole frames with bounded memory")
      .ignore("output_format", "one format: HDF5 that h5py opens");
  add_tiling_flags(line, o.vae_tiling);
  out.text = line.parse(arguments, out.notices);
  if (!out.text.empty()) return out;
  o.fps = parse_fps(fps);
  o.split = parse_split(split_weights);
  parse_part(part, o);
  check(o);
  check_tiling(o.vae_tiling);
  return out;
}

}  // namespace wan
