#include "sample/sample_job.hpp"

#include <algorithm>
#include <cstdio>
#include <set>

#include "base/file.hpp"
#include "base/log.hpp"
#include "base/text.hpp"
#include "comm/agree.hpp"
#include "device/open_device.hpp"
#include "device/out_of_memory.hpp"
#include "model/dit/run_config.hpp"
#include "model/storage.hpp"
#include "sample/sample_advice.hpp"
#include "sample/sample_memory.hpp"
#include "sample/sample_plan.hpp"
#include "sample/sampled_model.hpp"
#include "sample/share_out.hpp"
#include "sample/stage_times.hpp"
#include "sample/video_files.hpp"
#include "sample/video_maker.hpp"

namespace wan {
namespace {

/// Videos go through the network together up to about this many tokens.
constexpr std::int64_t enough_tokens = 1024;

using Batch = std::vector<std::int64_t>;

bool guided(const SampleOptions& options) {
  return options.sample_guide_scale > 1.0;
}

void announce(const SamplePlan& plan, const SampledModel& model, int ranks) {
  const VideoRequest& first = plan.videos.front().request;
  const std::string weights =
      cat(model.origin.path, model.origin.averaged ? " (averaged weights)" : " (weights as trained)");
  log::info(cat("sampling ", plan.size(), " videos, first ", to_text(first.size), ", ", first.frames,
                " frames, seed ", first.seed, ", with ", weights, " and ", model.parts.folder, " on ", ranks,
                " ranks"));
  if (plan.finished() > 0) log::info(cat(plan.finished(), " of ", plan.size(), " videos are there already"));
}

/// The batches of this rank in which something is to be made. Batches are cut before finished videos are left
/// out: a video's last bits depend on its company in the network.
std::vector<Batch> unfinished_batches(const SamplePlan& plan, const ModelParts& parts, const Batch& share) {
  std::vector<std::int64_t> tokens;
  for (const PlannedVideo& planned : plan.videos) {
    const Shape latent = latent_shape(parts.vae, planned.request);
    tokens.push_back(latent[1] * (latent[2] / 2) * (latent[3] / 2));
  }
  std::vector<Batch> batches = batches_of(share, tokens, enough_tokens);
  const auto all_finished = [&](const Batch& batch) {
    return std::all_of(batch.begin(), batch.end(), [&](std::int64_t i) { return plan.video(i).finished; });
  };
  batches.erase(std::remove_if(batches.begin(), batches.end(), all_finished), batches.end());
  return batches;
}

std::set<std::string> texts_of(const SamplePlan& plan, const std::vector<Batch>& batches,
                               bool with_negative) {
  std::set<std::string> texts;
  for (const Batch& batch : batches) {
    for (const std::int64_t place : batch) {
      const VideoRequest& request = plan.video(place).request;
      texts.insert(request.prompt);
      if (with_negative) texts.insert(request.negative_prompt);
    }
  }
  return texts;
}

/// What a GPU has to hold for so many batches, both branches of each or, where `ranks` share it, one.
SampledStages stages_of(const SampleOptions& options, const SampledModel& model, int ranks,
                        std::size_t batches) {
  return {model.config,
          storage_dtype(options.params_dtype),
          model.parts.vae,
          model.parts.text_encoder,
          storage_dtype(storage_on(DeviceKind::cuda, options.encoder_dtype)),
          guided(options) && ranks == 1,
          options.guidance_branches,
          options.vae_tiling,
          options.sample_steps,
          batches > 1};
}

/// The one that takes most memory.
const VideoRequest& largest_of(const std::vector<VideoRequest>& requests) {
  const auto pixels = [](const VideoRequest& r) { return r.frames * r.size.height * r.size.width; };
  return *std::max_element(requests.begin(), requests.end(),
                           [&](const auto& a, const auto& b) { return pixels(a) < pixels(b); });
}

/// False if a stop was asked for before the last batch was done.
bool make_all(Runtime& runtime, Device& device, const SampleOptions& options, const SampledModel& model,
              const SamplePlan& plan, const std::vector<Batch>& batches, const Communicator& partners) {
  const Communicator branches = partners.on_device(device);
  const PromptTexts texts(device, model.parts, texts_of(plan, batches, guided(options)),
                          [&] { return runtime.signals().stop_asked(); });
  if (stop_asked(runtime, partners)) return false;
  StageTimes times;
  times.text_ms = texts.text_ms();
  const StopWatch loading;
  VideoMaker maker(runtime, device, model, options, plan, texts, branches, times);
  times.load_ms = texts.load_ms() + loading.ms();
  if (runtime.rank() == 0) log::info("models are loaded");
  const StopWatch sampling;
  const bool complete = std::all_of(batches.begin(), batches.end(), [&](const Batch& batch) {
    return maker.make(batch, &batch == &batches.back());
  });
  maker.finish();
  times.sampling_ms = times.text_ms + sampling.ms();
  if (runtime.rank() == 0) {
    log::info(cat("load_ms=", times.load_ms, " text_ms=", times.text_ms, " sampling_ms=", times.sampling_ms));
    if (options.timings) write_file_atomically(*options.timings, times.json().dump(1) + "\n");
  }
  return complete;
}

/// As make_all, on a device of its own; says what would take less memory where that is too small.
bool make_on_device(Runtime& runtime, const SampleOptions& options, const SampledModel& model,
                    const SamplePlan& plan, const std::vector<Batch>& batches, const Communicator& partners) {
  if (batches.empty()) return true;
  DeviceOptions device_options;
  device_options.threads = runtime.threads(static_cast<int>(options.threads.value_or(0)));
  device_options.reference = options.reference;
  device_options.index = runtime.local_rank();
  std::unique_ptr<Device> device;
  try {
    device = open_device(device_options);
    return make_all(runtime, *device, options, model, plan, batches, partners);
  } catch (const OutOfMemory& error) {
    const std::optional<DeviceMemory> memory = device ? device->memory() : error.found;
    if (!memory) throw;
    std::vector<VideoRequest> requests;
    for (const Batch& batch : batches) {
      for (const std::int64_t place : batch) requests.push_back(plan.video(place).request);
    }
    const VideoRequest& largest = largest_of(requests);
    throw CommError(cat(error.what(), "; ",
                        sample_advice(stages_of(options, model, partners.size(), batches.size()),
                                      largest.size, largest.frames, *memory)));
  }
}

/// What a GPU would have to hold, for the video that takes most.
ExitCode tell_plan(const Runtime& runtime, const SampleOptions& options, const SampledModel& model) {
  const std::vector<VideoRequest> requests = video_requests(options, 0, model.trained_size);
  if (runtime.rank() != 0) return ExitCode::done;
  const VideoRequest& largest = largest_of(requests);
  std::fputs(
      cat(requests.size(), " videos, the largest ", to_text(largest.size), ", ", largest.frames, " frames\n",
          to_text(plan_sampling(stages_of(options, model, 1, requests.size()), largest.size, largest.frames)))
          .c_str(),
      stdout);
  return ExitCode::done;
}

}  // namespace

ExitCode run_sample(Runtime& runtime, const SampleOptions& asked) {
  SampleOptions options = asked;
  options.params_dtype =
      storage_on(asked.dry_run ? DeviceKind::cuda : default_device_kind(), asked.params_dtype);
  const SampledModel model = open_sampled_model(runtime, options);
  if (options.dry_run) return tell_plan(runtime, options, model);
  const SamplePlan plan = plan_samples(runtime, options, model);
  if (runtime.rank() == 0) announce(plan, model, runtime.size());

  const Share share = share_of(runtime.rank(), runtime.size(), plan.size(), guided(options));
  const Communicator partners = runtime.world().split(share.group, runtime.rank());
  // Ranks end at different times, and one that waits must not take a core from the others.
  const Communicator ending = runtime.world().duplicate(Waiting::patient);
  const bool complete = make_on_device(runtime, options, model, plan,
                                       unfinished_batches(plan, model.parts, share.videos), partners);

  const bool stopped = max_over(ending, std::int64_t{complete ? 0 : 1}) != 0;
  if (stopped) {
    if (runtime.rank() == 0)
      log::warn("stopped on request; the same command makes the videos that are missing");
    return ExitCode::requeue;
  }
  if (runtime.rank() == 0) plan.seed.forget();
  return ExitCode::done;
}

}  // namespace wan
