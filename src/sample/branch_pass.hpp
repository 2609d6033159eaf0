#pragma once
#include <cstdint>
#include <memory>
#include <vector>

#include "model/dit/dit.hpp"
#include "sample/shared_start.hpp"

namespace wan {

struct TextEmbedding;

/// One way of some samples through the network, over and over: a pack, and all of it that does not change
/// from step to step, on the device.
class BranchPass {
 public:
  /// `texts` belong to `samples`, one each.
  BranchPass(Device& device, const Dit& dit, std::vector<PackSample> samples,
             const std::vector<const TextEmbedding*>& texts);

  /// Arena bytes of one pass, whose size is known before anything is allocated.
  [[nodiscard]] static std::int64_t arena_bytes(const Device& device, const Dit& dit,
                                                const std::vector<PackSample>& samples);

  /// Keys and values of the texts. Waits for the device.
  void embed_texts(const Walk& walk);
  /// All samples at `step` of `times`; `latents` and `prediction` flat. Allocates nothing and waits for
  /// nothing.
  void predict(const Walk& walk, const Tensor& latents, const TimeCache& times, std::int64_t step,
               const Tensor& prediction) const;
  /// The same of latents whose start was computed at this step.
  void predict(const Walk& walk, const SharedStart& start, const TimeCache& times, std::int64_t step,
               const Tensor& prediction) const;

 private:
  Device& device_;
  const Dit& dit_;
  std::vector<const TextEmbedding*> texts_;
  StepPack pack_;
  TextCache cache_;
};

}  // namespace wan
