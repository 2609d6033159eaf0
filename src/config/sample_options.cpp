#include "config/sample_options.hpp"

#include "base/error.hpp"
#include "base/text.hpp"

namespace wan {

namespace {

struct SizeFlags {
  std::vector<std::string> sizes;
  std::optional<std::int64_t> height;
  std::optional<std::int64_t> width;
};

std::vector<FrameSize> frame_sizes(const SizeFlags& flags) {
  if (flags.height.has_value() != flags.width.has_value()) {
    throw UsageError("--height and --width: found one of them, allowed: both or neither");
  }
  if (flags.height && !flags.sizes.empty()) {
    throw UsageError("--sizes and --height/--width: found both, allowed: one of the two ways");
  }
  std::vector<FrameSize> out;
  if (flags.height) out.push_back({*flags.height, *flags.width});
  for (const std::string& text : flags.sizes) out.push_back(parse_frame_size(text));
  return out;
}

// A list flag holds one value for all prompts or one for each.
void check_count(const char* flag, std::size_t found, std::size_t prompts) {
  if (found <= 1 || found == prompts) return;
  throw UsageError(
      cat(flag, ": found ", found, " values for ", prompts, " prompts, allowed: 1 or ", prompts));
}

void check(const SampleOptions& o) {
  if (o.prompts.empty() == !o.prompts_file.has_value()) {
    throw UsageError("--prompts and --prompts_file: allowed: exactly one of them");
  }
  if (!o.checkpoint_dir && !o.model) {
    throw UsageError(
        "--checkpoint_dir and --model: found neither; name a run folder, or a model folder to sample");
  }
  if (!o.checkpoint_dir && (o.checkpoint_step || o.weights == WeightChoice::ema)) {
    throw UsageError(cat(o.checkpoint_step ? "--checkpoint_step" : "--weights ema",
                         ": a model folder has one set of weights; allowed with --checkpoint_dir only"));
  }
  if (o.checkpoint_dir && o.random_weights) {
    throw UsageError("--random-weights: a checkpoint has weights; allowed with --model alone");
  }
  for (const std::int64_t frames : o.frame_nums) {
    if (frames % 4 != 1) {
      throw UsageError(cat("--frame_nums: found ", frames, ", allowed: 4n + 1, such as 1, 17 or 81"));
    }
  }
  for (const FrameSize& size : o.sizes) {
    if (size.height % 16 != 0 || size.width % 16 != 0) {
      throw UsageError("--sizes: found " + to_text(size) + ", allowed: multiples of 16 (VAE 8, patch 2)");
    }
  }
  if (o.prompts_file) return;
  check_count("--sizes", o.sizes.size(), o.prompts.size());
  check_count("--frame_nums", o.frame_nums.size(), o.prompts.size());
}

}  // namespace

Invocation<SampleOptions> parse_sample_options(const std::vector<std::string>& arguments) {
  Invocation<SampleOptions> out;
  SampleOptions& o = out.options;
  SizeFlags size_flags;
  std::int64_t parallel = 1;
  CommandLine line(
      "wan-sample", "--checkpoint_dir DIR --prompts TEXT ... [flags]",
      "Makes videos from prompts with a trained checkpoint or a model folder. Ranks share the prompts.");
  line.flag("task", o.task, "t2v-1.3B or t2v-14B: names the output; the checkpoint knows its architecture")
      .flag("sizes", size_flags.sizes, "height*width in pixels, one for all prompts or one for each")
      .flag("height", size_flags.height, within(16, 16384), "pixels", "instead of --sizes, with --width")
      .flag("width", size_flags.width, within(16, 16384), "pixels", "instead of --sizes, with --height")
      .flag("frame_nums", o.frame_nums, within(1, 100001), "frames",
            "4n + 1; one for all prompts or one for each")
      .flag("prompts", o.prompts, "what to show, one video for each")
      .flag("prompts_file", o.prompts_file,
            "a prompt per line, or JSON: a list of {prompt, seed, size, frames}")
      .flag("negative_prompt", o.negative_prompt,
            "what guidance leads away from; empty is what text dropout trains")
      .flag("sample_steps", o.sample_steps, within(1, 10000), "steps", "solver steps")
      .flag("sample_shift", o.sample_shift, above(0), "", "shift of the noise levels")
      .flag("sample_guide_scale", o.sample_guide_scale, at_least(0), "", "classifier-free guidance; 1: none")
      .flag("guidance_branches", o.guidance_branches,
            "prompt and negative prompt in one pass or one after the other; auto: on a GPU what the first "
            "steps "
            "show to be faster, if it fits, on the host batched")
      .flag("sample_solver", o.sample_solver, "solver of the flow")
      .flag("sigma_grid", o.sigma_grid, "whose rule gives the noise levels")
      .flag("base_seed", o.base_seed, within(-1, 1e15), "",
            "prompt i uses base_seed + i; -1: a random one, printed")
      .flag("fps", o.fps, within(0.1, 1000), "frames/s", "speed of the video written")
      .flag("checkpoint_dir", o.checkpoint_dir, "run folder of wan-train")
      .flag("checkpoint_step", o.checkpoint_step, at_least(0), "steps",
            "which checkpoint; null: the newest good one")
      .flag("model", o.model,
            "model folder; alone: its own transformer, else VAE and text encoder for the checkpoint")
      .flag("weights", o.weights, "averaged or raw weights; auto: averaged where there are any")
      .flag("params_dtype", o.params_dtype,
            "storage of the transformer's weights and activations; auto: bf16 on a GPU, fp32 on the host")
      .flag("encoder_dtype", o.encoder_dtype,
            "storage of VAE and text encoder; auto: bf16 on a GPU, fp32 on the host")
      .flag("random-weights", o.random_weights, at_least(0), "seed",
            "measure speed with random weights where --model has configurations and tokenizer only")
      .flag("output_dir", o.output_dir, "folder for the videos")
      .flag("save_file", o.save_file, "part of the file names")
      .flag("noise", o.noise, "safetensors file whose tensor `latent` [16,T',H',W'] starts the solver")
      .flag("save_latents", o.save_latents, "safetensors file for the final latent, normalised space")
      .flag("dump", o.dump, "folder for every activation of the first step")
      .flag("dry-run", o.dry_run,
            "check flags, prompts and model, print what each stage takes of a GPU's memory, and end")
      .flag("timings", o.timings, "JSON file for the milliseconds of each stage, of rank 0")
      .flag("reference", o.reference, "compute with the slow, obvious ops that tests compare with")
      .flag("threads", o.threads, within(1, 4096), "threads", "per rank; null: cores / ranks of this host")
      .flag("tensor_parallel_size", parallel, only(1), "ranks", "above 1 not available yet")
      .flag("context_parallel_size", parallel, only(1), "ranks", "above 1 not available yet")
      .flag("pipeline_parallel_size", parallel, only(1), "ranks", "above 1 not available yet")
      .ignore("sequence_parallel", "tokens are split wherever tensor parallelism is on")
      .ignore("offload_model", "models are loaded when needed and freed afterwards")
      .ignore("t5_cpu", "the text encoder runs where the other models run")
      .ignore("t5_checkpoint_dir", "the text encoder is that of --model, or the one the checkpoint recorded")
      .ignore("vae_checkpoint_dir", "the VAE is that of --model, or the one the checkpoint recorded");
  add_tiling_flags(line, o.vae_tiling);
  out.text = line.parse(arguments, out.notices);
  if (!out.text.empty()) return out;
  o.sizes = frame_sizes(size_flags);
  check(o);
  check_tiling(o.vae_tiling);
  return out;
}

}  // namespace wan
