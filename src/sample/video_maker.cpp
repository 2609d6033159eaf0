#include "sample/video_maker.hpp"

#include <algorithm>
#include <cmath>
#include <filesystem>

#include "base/error.hpp"
#include "base/log.hpp"
#include "base/philox.hpp"
#include "base/text.hpp"
#include "comm/agree.hpp"
#include "model/dit/run_config.hpp"
#include "sample/latent_files.hpp"
#include "sample/video_files.hpp"

namespace wan {
namespace {

DenoiseSettings settings_of(const SampleOptions& options) {
  return {options.sample_solver, options.sigma_grid, options.sample_steps, options.sample_shift,
          options.sample_guide_scale};
}

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
                       Communicator partners)
    : runtime_(runtime),
      device_(device),
      model_(model),
      options_(options),
      plan_(plan),
      texts_(texts),
      partners_(std::move(partners)),
      dit_(model.config, storage_dtype(options.params_dtype)),
      vae_(load_vae(device, model.parts, VaeParts::decoder)) {
  dit_.place(device, false);
  dit_.parameters().load(device, model.weights);
  if (options.dump) dump_ = std::make_unique<Dump>(device, cat(*options.dump, "/rank", runtime.rank()));
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
  const Denoiser denoiser(device_, dit_, settings_of(options_), partners_);
  const auto progress = [&](std::int64_t step) {
    const std::int64_t done = step + 1;
    if (runtime_.rank() == 0 && (done == options_.sample_steps || done % 10 == 0)) {
      log::info(cat("step=", done, " of=", options_.sample_steps, " videos=", batch.front(), "..",
                    batch.back(), " of=", plan_.size()));
    }
    return !stop_asked(runtime_, partners_);
  };
  const bool whole = denoiser.run(items, progress, dump_.get());
  dump_.reset();
  return whole;
}

bool VideoMaker::make(const std::vector<std::int64_t>& batch) {
  if (stop_asked(runtime_, partners_)) return false;
  std::vector<DenoiseItem> items;
  for (const std::int64_t place : batch) items.push_back(start_of(plan_.video(place).request));
  if (!denoise(batch, items)) return false;
  if (partners_.rank() != 0) return true;
  for (std::size_t i = 0; i < batch.size(); ++i) {
    const PlannedVideo& planned = plan_.video(batch[i]);
    if (planned.finished) continue;
    if (i > 0 && runtime_.signals().stop_asked()) return false;
    write(planned, items[i].latent);
  }
  return true;
}

void VideoMaker::write(const PlannedVideo& planned, const std::vector<float>& latent) {
  const VideoRequest& request = planned.request;
  require_finite(latent, options_.sample_steps);
  // The record of another video of this name must not stand beside the new one.
  std::filesystem::remove(planned.record_file);
  if (options_.save_latents) {
    write_latent(*options_.save_latents, latent, latent_shape(model_.parts.vae, request));
  }
  write_video(vae_, decoder_for(request.size), latent, request, options_.fps, planned.video);
  planned.record.write(planned.record_file, planned.video, latent_hash(latent));
  log::info(cat("wrote ", planned.video));
}

VaeDecoder& VideoMaker::decoder_for(const FrameSize& size) {
  if (decoder_ == nullptr || decoder_->geometry().height != size.height ||
      decoder_->geometry().width != size.width) {
    decoder_.reset();
    decoder_ = std::make_unique<VaeDecoder>(vae_, VaeGeometry{size.height, size.width, 0});
  }
  return *decoder_;
}

}  // namespace wan
