#pragma once
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <vector>

#include "base/worker.hpp"
#include "comm/communicator.hpp"
#include "sample/denoiser.hpp"
#include "sample/picture_decoder.hpp"
#include "sample/prompt_texts.hpp"
#include "sample/sample_plan.hpp"
#include "sample/stage_times.hpp"

namespace wan {

/// Makes videos. The transformer stays loaded from batch to batch and each batch is decoded before the next
/// begins, so that a stop loses little; files are coded and written meanwhile, on a thread. The network's
/// activations and the decoder's are never there together, and with the last batch the transformer goes
/// before the decoder comes.
class VideoMaker {
 public:
  /// Everything is borrowed. `partners`: the ranks that make the same videos, one or two (denoiser.hpp); rank
  /// 0 of them decodes and writes. Batches are appended to `times`.
  VideoMaker(const Runtime& runtime, Device& device, const SampledModel& model, const SampleOptions& options,
             const SamplePlan& plan, const PromptTexts& texts, Communicator partners, StageTimes& times);
  /// Also after an error, the videos that were decoded are written.
  ~VideoMaker();
  VideoMaker(const VideoMaker&) = delete;
  VideoMaker& operator=(const VideoMaker&) = delete;

  /// Makes the videos of these places in the plan; those that are finished already take part in the network's
  /// pass, so that the others get the same bits as in an uninterrupted run, and are not written again. False
  /// if a stop was asked for: the step in hand, or the video being decoded, was finished. After the `last`
  /// batch there may be no other. Collective over the partners. Throws NumericError, CreateError, IoError,
  /// also of the batches before.
  [[nodiscard]] bool make(const std::vector<std::int64_t>& batch, bool last);
  /// Waits until all files of the batches made are there. Throws CreateError, IoError.
  void finish();

 private:
  [[nodiscard]] bool guided() const { return options_.sample_guide_scale > 1.0; }
  [[nodiscard]] DenoiseItem start_of(const VideoRequest& request) const;
  [[nodiscard]] bool denoise(const std::vector<std::int64_t>& batch, std::vector<DenoiseItem>& items);
  void write(const PlannedVideo& planned, const std::vector<float>& latent);
  [[nodiscard]] PictureDecoder& decoder_for(const FrameSize& size);

  const Runtime& runtime_;
  Device& device_;
  const SampledModel& model_;
  const SampleOptions& options_;
  const SamplePlan& plan_;
  const PromptTexts& texts_;
  Communicator partners_;
  StageTimes& times_;
  std::optional<Dit> dit_;  ///< until the last batch is through
  Vae vae_;
  std::unique_ptr<PictureDecoder> decoder_;  ///< of the size used last
  std::unique_ptr<Dump> dump_;               ///< until the first batch is through
  std::map<std::size_t, double> written_;    ///< write_ms by batch; the worker's until it has finished
  Worker writing_;
};

/// Whether a stop was asked of any of the partners; the same answer on all. Collective over them.
[[nodiscard]] bool stop_asked(const Runtime& runtime, const Communicator& partners);

}  // namespace wan
