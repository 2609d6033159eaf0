#pragma once
#include <cstdint>
#include <deque>
#include <optional>
#include <vector>

#include "data/loader.hpp"
#include "device/device.hpp"
#include "device/pinned_buffer.hpp"
#include "device/staging.hpp"
#include "model/dit/dit.hpp"
#include "train/flow_matching.hpp"

namespace wan {

/// What came of one sample.
struct SampleLoss {
  float sigma = 0;
  double weighted = 0;  ///< sum over the latent's elements
  double raw = 0;       ///< the same without the weight
  std::int64_t elements = 0;
};

/// Device bytes that the activations of a micro batch within `bounds` take; `plan` counts the work.
[[nodiscard]] std::int64_t activation_bytes(const Dit& dit, const PackBounds& bounds, DeviceKind kind,
                                            const RecomputePlan& recompute, Ops& plan);
[[nodiscard]] std::int64_t activation_bytes(const Dit& dit, const PackBounds& bounds, DeviceKind kind,
                                            const RecomputePlan& recompute);
/// Device bytes that the micro batch itself takes, with its noise, target, prediction and gradient.
[[nodiscard]] std::int64_t input_bytes(const Dit& dit, const PackBounds& bounds, DeviceKind kind);

/// Flow-matching forward and backward of one rank over host packs: draws noise, noise levels and text dropout
/// of every sample, mixes, runs the model, forms loss and gradient. Device memory is allocated once, for the
/// largest pack.
class FlowStep {
 public:
  struct Options {
    FlowMatching flow;
    std::uint64_t seed = 0;
    std::uint64_t validation_seed = 0;
    PackBounds bounds;  ///< of one micro batch
    RecomputePlan recompute = {};
  };

  /// `dit` is placed on `device` with gradients; `null_text` is the empty prompt's embedding. All must
  /// outlive the object.
  FlowStep(Device& device, const Dit& dit, const TextEmbedding& null_text, const Options& options);

  /// Adds the gradients of (sum of weighted losses) / (elements of the whole step), the elements being those
  /// of `batch.step_tokens` tokens. `observers` see the walk. Does not wait for the device.
  void accumulate(const MicroBatch& batch, Observers observers = {});
  /// The weighted losses [samples] fp32 of the last micro batch, on the device.
  [[nodiscard]] Tensor device_losses() const;
  /// What came of the samples of the earliest `micro_batches` whose losses were not taken yet, in their
  /// order. Waits for those losses, and no longer.
  [[nodiscard]] std::vector<SampleLoss> take_losses(std::size_t micro_batches);
  /// Of all micro batches whose losses were not taken yet.
  [[nodiscard]] std::vector<SampleLoss> take_losses() { return take_losses(loss_rows_.size()); }

  /// The losses of a pack at each sample's fixed validation noise and level; no gradient. All losses before
  /// must have been taken.
  [[nodiscard]] std::vector<SampleLoss> evaluate(const HostPack& pack);

  /// Device bytes held for activations.
  [[nodiscard]] std::int64_t activation_bytes() const { return memory_.bytes(); }

 private:
  /// A pack on the device, with what was drawn for it.
  struct Loaded {
    PatchLayout layout;
    std::vector<std::int64_t> element_offset;
    std::vector<FlowDraw> draws;
    Tensor noisy;
    Tensor target;
    Tensor prediction;
    Tensor text;
    PackView view;
  };

  /// Losses of a micro batch on their way to the host.
  struct LossRow {
    PinnedBuffer values;  ///< as losses_
    Event copied;
    std::vector<SampleLoss> samples;  ///< without their losses
  };

  [[nodiscard]] Loaded load(const HostPack& pack, bool validation);
  void upload_text(const HostPack& pack, const Loaded& loaded);
  [[nodiscard]] Tensor loss_row(std::int64_t row, std::int64_t samples) const;
  void fetch_losses(const Loaded& loaded);
  [[nodiscard]] FlowLoss loss_of(const Loaded& loaded) const;

  Device& device_;
  const Dit& dit_;
  const TextEmbedding& null_text_;
  Options options_;
  std::int64_t row_multiple_;
  PackCapacity capacity_;
  DeviceBuffer memory_;
  Arena arena_;
  PackBuffers pack_buffers_;
  std::optional<Pack> pack_;  ///< what the view in use points to
  DitSaved saved_;
  DeviceTensor clean_;
  DeviceTensor noise_;
  DeviceTensor noisy_;
  DeviceTensor target_;
  DeviceTensor prediction_;
  DeviceTensor gradient_;
  DeviceTensor text_;
  DeviceTensor losses_;            ///< [2, samples]: weighted, then raw
  std::deque<LossRow> loss_rows_;  ///< not taken yet
  std::vector<LossRow> spare_rows_;
  Staging staging_;  ///< clean latents, then text
};

}  // namespace wan
