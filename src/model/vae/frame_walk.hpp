#pragma once
#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "device/device.hpp"
#include "device/frame_ops.hpp"
#include "device/ops.hpp"
#include "tensor/arena.hpp"

namespace wan {

/// Frames [begin, end) of a dense [T, H, W, C].
[[nodiscard]] Tensor frame_range(const Tensor& frames, std::int64_t begin, std::int64_t end);
/// `shape` with another number of frames, or of channels.
[[nodiscard]] Shape with_frames(const Shape& shape, std::int64_t frames);
[[nodiscard]] Shape with_channels(const Shape& shape, std::int64_t channels);

/// Bytes that a walk needs.
struct FrameWalkSizes {
  std::int64_t history = 0;
  std::array<std::int64_t, 2> side{};
  std::int64_t scratch = 0;

  [[nodiscard]] std::int64_t total() const { return history + side[0] + side[1] + scratch; }
};

/// What a chunk of frames is walked through the VAE's layers with: ops, memory, and the histories that causal
/// convolutions keep from chunk to chunk. Activations alternate between two sides, so that a layer's input
/// and output live at once and no more; scratch is for use inside a layer.
class FrameWalk {
 public:
  /// Measures: with the plan bodies, and addresses that nobody may touch.
  FrameWalk(Ops& plan_ops, FrameOps& plan_frames);
  /// Computes in memory of its own, of the sizes that a measuring walk found.
  FrameWalk(Device& device, const FrameWalkSizes& sizes);

  [[nodiscard]] Ops& ops() const { return *ops_; }
  [[nodiscard]] FrameOps& frames() const { return *frames_; }
  [[nodiscard]] Arena& scratch() { return scratch_; }
  [[nodiscard]] FrameWalkSizes peak() const;

  /// The next chunk is a clip's first: histories are forgotten.
  void begin_clip();
  void begin_chunk();
  [[nodiscard]] bool at_clip_start() const { return chunk_ == 0; }
  /// Inside a chunk: it is the clip's first.
  [[nodiscard]] bool first_chunk() const { return chunk_ == 1; }

  /// A new activation with undefined content; the one before it stays, the one before that goes.
  [[nodiscard]] Tensor turn(DType dtype, const Shape& shape);

  /// The history of the next causal layer of this walk, `shape` = [kept frames, H, W, C]; undefined in the
  /// first chunk, which must fill it. Layers ask in the same order in every chunk.
  [[nodiscard]] Tensor history(DType dtype, const Shape& shape);

  /// Dense, equal bytes; either may be host memory.
  void copy(const Tensor& to, const Tensor& from);
  void zero(const Tensor& tensor);

 private:
  Device* device_ = nullptr;
  Ops* ops_;
  FrameOps* frames_;
  std::vector<DeviceBuffer> memory_;
  Arena history_;
  std::array<Arena, 2> sides_;
  Arena scratch_;
  std::array<std::optional<Arena::Scope>, 2> side_scopes_;
  std::optional<Arena::Scope> history_scope_;
  std::size_t side_ = 0;
  std::int64_t chunk_ = 0;  ///< of the clip, from 1
  std::vector<Tensor> histories_;
  std::size_t next_history_ = 0;
};

/// The input of a causal layer, in scratch memory: `whole` is the history and then `fresh`, which the caller
/// fills. In the first chunk there is no history; the convolution then takes `front` frames of zeros instead,
/// for which there is room before `whole`.
struct CausalInput {
  CausalInput(FrameWalk& walk, DType dtype, const Shape& fresh_shape, std::int64_t kept_frames);

  /// y = conv(the filled input), or y += that.
  [[nodiscard]] FrameConv into(const FrameConvWeight& weight, bool accumulate, const Tensor& y) const;

  /// Keeps the last frames for the next chunk; frames before the clip count as zeros.
  void keep(FrameWalk& walk) const;

  Tensor history;
  std::int64_t front = 0;
  Tensor memory;  ///< room for the kept frames, then `fresh`
  Tensor whole;
  Tensor fresh;
};

}  // namespace wan
