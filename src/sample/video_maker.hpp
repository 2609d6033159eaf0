#pragma once
#include <functional>
#include <memory>
#include <vector>

#include "comm/communicator.hpp"
#include "model/vae/vae_streams.hpp"
#include "sample/denoiser.hpp"
#include "sample/prompt_texts.hpp"
#include "sample/sample_plan.hpp"

namespace wan {

/// Makes videos: transformer and VAE decoder stay loaded from batch to batch, and each batch is written
/// before the next begins, so that a stop loses little.
class VideoMaker {
 public:
  /// Everything is borrowed. `partners`: the ranks that make the same videos, one or two (denoiser.hpp); rank
  /// 0 of them decodes and writes.
  VideoMaker(const Runtime& runtime, Device& device, const SampledModel& model, const SampleOptions& options,
             const SamplePlan& plan, const PromptTexts& texts, Communicator partners);

  /// Makes the videos of these places in the plan; those that are finished already take part in the network's
  /// pass, so that the others get the same bits as in an uninterrupted run, and are not written again. False
  /// if a stop was asked for: the step in hand, or the video being written, was finished. Collective over the
  /// partners. Throws NumericError, CreateError, IoError.
  [[nodiscard]] bool make(const std::vector<std::int64_t>& batch);

 private:
  [[nodiscard]] bool guided() const { return options_.sample_guide_scale > 1.0; }
  [[nodiscard]] DenoiseItem start_of(const VideoRequest& request) const;
  [[nodiscard]] bool denoise(const std::vector<std::int64_t>& batch, std::vector<DenoiseItem>& items);
  void write(const PlannedVideo& planned, const std::vector<float>& latent);
  [[nodiscard]] VaeDecoder& decoder_for(const FrameSize& size);

  const Runtime& runtime_;
  Device& device_;
  const SampledModel& model_;
  const SampleOptions& options_;
  const SamplePlan& plan_;
  const PromptTexts& texts_;
  Communicator partners_;
  Dit dit_;
  Vae vae_;
  std::unique_ptr<VaeDecoder> decoder_;  ///< of the size used last
  std::unique_ptr<Dump> dump_;           ///< until the first batch is through
};

/// Whether a stop was asked of any of the partners; the same answer on all. Collective over them.
[[nodiscard]] bool stop_asked(const Runtime& runtime, const Communicator& partners);

}  // namespace wan
