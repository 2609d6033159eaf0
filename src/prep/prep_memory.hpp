#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include "config/frame_size.hpp"
#include "config/vae_tiling.hpp"
#include "weights/model_parts.hpp"

namespace wan {

/// Device bytes of one stage of a preparation.
struct PrepStageMemory {
  std::int64_t weights = 0;
  std::int64_t activations = 0;
  std::int64_t libraries = 0;  ///< an allowance for what they take for themselves
  [[nodiscard]] std::int64_t total() const { return weights + activations + libraries; }
};

/// The stages in which a GPU encodes; each model leaves before the next one comes.
struct PrepMemory {
  PrepStageMemory texts;
  PrepStageMemory clips;
};

/// What a GPU has to hold for clips with frames of these sizes, of which it holds one size at a time.
[[nodiscard]] PrepMemory plan_prep_memory(const ModelParts& model, const VaeTiling& tiling,
                                          const std::vector<FrameSize>& sizes);

/// A line for each stage.
[[nodiscard]] std::string to_text(const PrepMemory& memory);

}  // namespace wan
