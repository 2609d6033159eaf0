#pragma once
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "config/choices.hpp"
#include "config/frame_size.hpp"
#include "config/vae_tiling.hpp"
#include "model/dit/config.hpp"
#include "model/text/umt5_config.hpp"
#include "model/vae/vae_config.hpp"
#include "tensor/dtype.hpp"

namespace wan {

/// What decides about a GPU's memory when videos are made.
struct SampledStages {
  DitConfig transformer;
  DType storage = DType::bf16;
  VaeConfig vae;
  Umt5Config text_encoder;
  DType encoder_storage = DType::bf16;
  bool guided = true;
  GuidanceBranches branches = GuidanceBranches::automatic;
  VaeTiling tiling;
  std::int64_t steps = 50;
  bool many = false;  ///< several batches: the transformer stays while videos are decoded
};

/// Device bytes of one stage, by kind.
struct StageMemory {
  std::string stage;
  std::vector<std::pair<std::string, std::int64_t>> kinds;
  [[nodiscard]] std::int64_t total() const;
};

/// Of the stage that takes most.
[[nodiscard]] std::int64_t peak(const std::vector<StageMemory>& stages);

/// The stages in which a GPU makes one video: the texts' encoding, the denoising, the decoding. Models are
/// there one after the other, as sample_job and video_maker have them. What libraries take is an allowance.
[[nodiscard]] std::vector<StageMemory> plan_sampling(const SampledStages& stages, const FrameSize& size,
                                                     std::int64_t frames);

/// A line for each kind of each stage, in GiB, and the peak of all.
[[nodiscard]] std::string to_text(const std::vector<StageMemory>& stages);

}  // namespace wan
