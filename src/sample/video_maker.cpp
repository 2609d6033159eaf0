#include "sample/video_maker.hpp"

#include <algorithm>
#include <cmath>
#include <filesystem>

#include "base/error.hpp"
#include "base/log.hpp"
#include "base/philox.hpp"
#include "base/text.hpp"
#include "comm/agree.hpp"
#include "media/png.hpp"
#include "media/writer.hpp"
#include "model/dit/run_config.hpp"
#include "model/storage.hpp"
#include "sample/latent_files.hpp"
#include "sample/video_files.hpp"

namespace wan {
namespace {

DenoiseSettings settings_of(const SampleOptions& options) {
  return {options.sample_solver, options.sigma_grid,         options.sample_steps,
          options.sample_shift,  options.sample_guide_scale, options.guidance_branches};
}

/// Chunks of pictures that wait to be coded: those of a video of 81 frames in any size that a GPU decodes.
constexpr std::size_t waiting_chunks = 24;

/// Frames per second to a thousandth.
Rational frame_rate(double fps) {
  return {static_cast<std::int64_t>(std::llround(fps * 1000)), 1000};
}

/// A video or picture on its way to its file; what is called on one thread after the other.
class VideoFile {
 public:
  VideoFile(const PlannedVideo& planned, double fps) : path_(planned.video) {
    if (planned.request.frames == 1) return;
    writer_.emplace(path_, planned.request.size.width, planned.request.size.height, frame_rate(fps));
  }
  void add(const std::vector<Image>& frames) {
    for (const Image& frame : frames) {
      if (writer_) {
        writer_->add(frame);
      } else {
        write_png(path_, frame);
      }
    }
  }
  void finish() {
    if (writer_) writer_->finish();
  }

 private:
  std::string path_;
  std::optional<VideoWriter> writer_;
};

void require_finite(const std::vector<float>& latent, std::int64_t steps) {
  const auto broken = std::find_if(latent.begin(), latent.end(), [](float x) { return !std::isfinite(x); });
  if (broken == latent.end()) return;
  throw NumericError(
      steps, "latent",
      cat("found ", *broken, " at element ", broken - latent.begin(), ", no video is written"));
}

}  // namespace

bool stop_asked(const Runtime& runtime, const Communicator& partners) {
  const bool mine = runtime.signals().stop_asked();
  return partners.size() == 1 ? mine : max_over(partners, std::int64_t{mine ? 1 : 0}) != 0;
}

VideoMaker::VideoMaker(const Runtime& runtime, Device& device, const SampledModel& model,
                       const SampleOptions& options, const SamplePlan& plan, const PromptTexts& texts,
                       Communicator partners, StageTimes& times)
    : runtime_(runtime),
      device_(device),
      model_(model),
      options_(options),
      plan_(plan),
      texts_(texts),
      partners_(std::move(partners)),
      times_(times),
      dit_(std::in_place, model.config, storage_dtype(options.params_dtype)),
      vae_(load_vae(device, model.parts, VaeParts::decoder)),
      writing_(waiting_chunks) {
  dit_->place(device, false);
  dit_->parameters().load(device, model.weights);
  if (options.dump) dump_ = std::make_unique<Dump>(device, cat(*options.dump, "/rank", runtime.rank()));
}

VideoMaker::~VideoMaker() {
  try {
    writing_.finish();
  } catch (...) {
    // finish() or make() has told, or another error is on its way.
  }
}

DenoiseItem VideoMaker::start_of(const VideoRequest& request) const {
  const Shape shape = latent_shape(model_.parts.vae, request);
  DenoiseItem item;
  item.grid = {shape[1], shape[2] / 2, shape[3] / 2};
  item.prompt = &texts_.at(request.prompt);
  if (guided()) item.negative = &texts_.at(request.negative_prompt);
  item.latent = plan_.noise;
  if (!options_.noise) {
    item.latent.resize(static_cast<std::size_t>(shape.elements()));
    fill_normal(random_key(request.seed, 0, 0, Purpose::sampling_noise), 0, shape.elements(),
                item.latent.data());
  }
  return item;
}

bool VideoMaker::denoise(const std::vector<std::int64_t>& batch, std::vector<DenoiseItem>& items) {
  const Denoiser denoiser(device_, *dit_, settings_of(options_), partners_);
  const auto progress = [&](std::int64_t step) {
    const std::int64_t done = step + 1;
    if (runtime_.rank() == 0 && (done == options_.sample_steps || done % 10 == 0)) {
      log::info(cat("step=", done, " of=", options_.sample_steps, " videos=", batch.front(), "..",
                    batch.back(), " of=", plan_.size()));
    }
    return !stop_asked(runtime_, partners_);
  };
  const DenoiseReport report = denoiser.run(items, progress, dump_.get());
  dump_.reset();
  if (!report.whole) return false;
  BatchTimes& times = times_.batches.emplace_back();
  times.branches = report.branches;
  times.steps = options_.sample_steps;
  times.denoise_ms = report.milliseconds;
  if (runtime_.rank() == 0) {
    log::info(cat("denoise_ms=", report.milliseconds,
                  " step_ms=", report.milliseconds / static_cast<double>(options_.sample_steps),
                  " branches=", report.branches));
  }
  return true;
}

bool VideoMaker::make(const std::vector<std::int64_t>& batch, bool last) {
  if (stop_asked(runtime_, partners_)) return false;
  std::vector<DenoiseItem> items;
  for (const std::int64_t place : batch) items.push_back(start_of(plan_.video(place).request));
  if (!denoise(batch, items)) return false;
  if (last) dit_.reset();
  if (partners_.rank() != 0) return true;
  for (std::size_t i = 0; i < batch.size(); ++i) {
    const PlannedVideo& planned = plan_.video(batch[i]);
    if (planned.finished) continue;
    if (i > 0 && runtime_.signals().stop_asked()) return false;
    write(planned, items[i].latent);
  }
  // A GPU's memory for the next batch's activations; the host keeps it, for taking it takes its time.
  if (device_.kind() != DeviceKind::host) decoder_.reset();
  return true;
}

void VideoMaker::write(const PlannedVideo& planned, const std::vector<float>& latent) {
  const VideoRequest& request = planned.request;
  require_finite(latent, options_.sample_steps);
  // The record of another video of this name must not stand beside the new one.
  std::filesystem::remove(planned.record_file);
  const Shape shape = latent_shape(model_.parts.vae, request);
  if (options_.save_latents) write_latent(*options_.save_latents, latent, shape);

  const auto file = std::make_shared<VideoFile>(planned, options_.fps);
  const auto coding_ms = std::make_shared<double>(0);
  const StopWatch decoding;
  decoder_for(request.size)
      .decode(latent, shape[1], request.frames == 1 ? ToBytes::round : ToBytes::truncate,
              [&](std::vector<Image> frames) {
                writing_.add([file, coding_ms, frames = std::move(frames)] {
                  const StopWatch watch;
                  file->add(frames);
                  *coding_ms += watch.ms();
                });
              });
  const double vae_ms = decoding.ms();
  const std::size_t batch = times_.batches.size() - 1;
  times_.batches[batch].videos.push_back(planned.video);
  times_.batches[batch].vae_ms += vae_ms;
  writing_.add([this, file, coding_ms, vae_ms, batch, &planned, hash = latent_hash(latent)] {
    const StopWatch watch;
    file->finish();
    planned.record.write(planned.record_file, planned.video, hash);
    const double write_ms = *coding_ms + watch.ms();
    written_[batch] += write_ms;
    log::info(cat("wrote ", planned.video, " vae_ms=", vae_ms, " write_ms=", write_ms));
  });
}

void VideoMaker::finish() {
  writing_.finish();
  for (const auto& [batch, write_ms] : written_) times_.batches[batch].write_ms = write_ms;
}

PictureDecoder& VideoMaker::decoder_for(const FrameSize& size) {
  if (decoder_ == nullptr || !(decoder_->size() == size)) {
    decoder_.reset();
    decoder_ = std::make_unique<PictureDecoder>(vae_, size, options_.vae_tiling);
  }
  return *decoder_;
}

}  // namespace wan
