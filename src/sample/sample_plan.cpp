#include "sample/sample_plan.hpp"

#include <algorithm>
#include <filesystem>
#include <set>

#include "base/error.hpp"
#include "base/file.hpp"
#include "base/log.hpp"
#include "base/text.hpp"
#include "comm/agree.hpp"
#include "media/writer.hpp"
#include "sample/latent_files.hpp"
#include "sample/video_files.hpp"

namespace wan {
namespace {

std::string folder_of(const std::string& file) {
  const std::string folder = std::filesystem::path(file).parent_path().string();
  return folder.empty() ? "." : folder;
}

/// A folder that exists may still refuse new files.
void require_writable(const std::string& folder) {
  make_folders(folder);
  const AtomicFile probe(folder + "/.writable");
}

void check_outputs(const SampleOptions& options, const std::vector<VideoRequest>& requests) {
  if ((options.noise || options.save_latents) && requests.size() != 1) {
    throw UsageError(cat("--noise and --save_latents: found ", requests.size(), " videos, allowed: 1"));
  }
  require_writable(options.output_dir);
  if (options.save_latents) require_writable(folder_of(*options.save_latents));
  for (const VideoRequest& request : requests) {
    if (request.frames > 1) return check_video_encoder(options.output_dir);
  }
}

void warn_of_transposed_sizes(const std::vector<VideoRequest>& requests, const FrameSize& trained) {
  for (const VideoRequest& request : requests) {
    if (request.size == FrameSize{trained.width, trained.height} && !(request.size == trained)) {
      log::warn(cat("asked for ", to_text(request.size), ", trained on ", to_text(trained),
                    ": --sizes is height*width"));
      return;
    }
  }
}

/// A hash of all that the requests ask for; their seeds count from 0.
Hash128 job_hash(const SampleOptions& options, const SampledModel& model,
                 const std::vector<VideoRequest>& requests, const std::optional<Hash128>& noise) {
  std::string text;
  for (const VideoRequest& request : requests) {
    text += VideoRecord(options, model, request, noise).settings().dump();
  }
  return bytes_hash(text);
}

PlannedVideo planned(const SampleOptions& options, const SampledModel& model, std::int64_t place,
                     const VideoRequest& request, const std::optional<Hash128>& noise) {
  const std::string prefix = options.save_file.value_or(options.task.value_or(""));
  const std::string stem = cat(options.output_dir, "/", video_name(prefix, place, request));
  return {request, VideoRecord(options, model, request, noise), video_path(stem, request), stem + ".json",
          false};
}

bool is_finished(const SampleOptions& options, const PlannedVideo& planned) {
  if (options.dump) return false;
  const std::optional<Hash128> latent = planned.record.finished(planned.record_file, planned.video);
  return latent && (!options.save_latents || holds_latent(*options.save_latents, *latent));
}

/// The ranks share the looking.
void find_finished(const Runtime& runtime, const SampleOptions& options, std::vector<PlannedVideo>& videos) {
  std::vector<std::int64_t> finished(videos.size());
  do_together(runtime.world(), [&] {
    for (auto i = static_cast<std::size_t>(runtime.rank()); i < videos.size();
         i += static_cast<std::size_t>(runtime.size())) {
      finished[i] = is_finished(options, videos[i]) ? 1 : 0;
    }
  });
  const auto count = static_cast<std::int64_t>(videos.size());
  runtime.world().all_reduce(Tensor(finished.data(), DType::i64, {count}), Reduce::max).wait();
  for (std::size_t i = 0; i < videos.size(); ++i) videos[i].finished = finished[i] != 0;
}

void remove_leftovers(const SampleOptions& options, const std::vector<PlannedVideo>& videos) {
  std::set<std::string> names;
  for (const PlannedVideo& planned : videos) {
    names.insert(std::filesystem::path(planned.video).filename().string());
    names.insert(std::filesystem::path(planned.record_file).filename().string());
  }
  remove_drafts(options.output_dir, names);
  if (!options.save_latents) return;
  remove_drafts(folder_of(*options.save_latents),
                {std::filesystem::path(*options.save_latents).filename().string()});
}

}  // namespace

std::int64_t SamplePlan::finished() const {
  return std::count_if(videos.begin(), videos.end(),
                       [](const PlannedVideo& video) { return video.finished; });
}

SamplePlan plan_samples(const Runtime& runtime, const SampleOptions& options, const SampledModel& model) {
  std::vector<VideoRequest> requests;
  std::vector<float> noise;
  std::optional<Hash128> noise_hash;
  do_together(runtime.world(), [&] {
    requests = video_requests(options, 0, model.trained_size);
    check_outputs(options, requests);
    if (!options.noise) return;
    noise = read_latent(*options.noise, latent_shape(model.parts.vae, requests.front()));
    noise_hash = latent_hash(noise);
  });
  if (runtime.rank() == 0 && model.trained_size) warn_of_transposed_sizes(requests, *model.trained_size);

  SamplePlan plan{BaseSeed(runtime, options, job_hash(options, model, requests, noise_hash)), {}, noise};
  do_together(runtime.world(), [&] {
    requests = video_requests(options, plan.seed.value(), model.trained_size);
    for (const VideoRequest& request : requests) {
      plan.videos.push_back(planned(options, model, plan.size(), request, noise_hash));
    }
    if (runtime.rank() == 0) remove_leftovers(options, plan.videos);
  });
  find_finished(runtime, options, plan.videos);
  return plan;
}

}  // namespace wan
