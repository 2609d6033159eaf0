#include "model/vae/frame_walk.hpp"

#include "base/error.hpp"
#include "base/text.hpp"

namespace wan {

Tensor frame_range(const Tensor& frames, std::int64_t begin, std::int64_t end) {
  const std::int64_t pixels = frames.shape[1] * frames.shape[2];
  return frames.row_range(begin * pixels, end * pixels).reshaped(with_frames(frames.shape, end - begin));
}

Shape with_frames(const Shape& shape, std::int64_t frames) {
  Shape out = shape;
  out.resize_axis(0, frames);
  return out;
}

Shape with_channels(const Shape& shape, std::int64_t channels) {
  Shape out = shape;
  out.resize_axis(3, channels);
  return out;
}

FrameWalk::FrameWalk(Ops& plan_ops, FrameOps& plan_frames) : ops_(&plan_ops), frames_(&plan_frames) {}

FrameWalk::FrameWalk(Device& device, const FrameWalkSizes& sizes)
    : device_(&device),
      ops_(&device.ops()),
      frames_(&device.frame_ops()),
      memory_([&] {
        std::vector<DeviceBuffer> memory;
        for (const std::int64_t bytes : {sizes.history, sizes.side[0], sizes.side[1], sizes.scratch}) {
          memory.emplace_back(device, bytes);
        }
        return memory;
      }()),
      history_(memory_[0].data(), memory_[0].bytes()),
      sides_{Arena(memory_[1].data(), memory_[1].bytes()), Arena(memory_[2].data(), memory_[2].bytes())},
      scratch_(memory_[3].data(), memory_[3].bytes()) {}

FrameWalkSizes FrameWalk::peak() const {
  return {history_.peak(), {sides_[0].peak(), sides_[1].peak()}, scratch_.peak()};
}

void FrameWalk::begin_clip() {
  chunk_ = 0;
  histories_.clear();
  history_scope_.reset();
  history_scope_.emplace(history_);
}

void FrameWalk::begin_chunk() {
  ++chunk_;
  next_history_ = 0;
  // Every chunk begins on the same side, or the sides would need room for each other's largest activation.
  side_ = 0;
}

Tensor FrameWalk::turn(DType dtype, const Shape& shape) {
  side_ = 1 - side_;
  side_scopes_[side_].reset();
  side_scopes_[side_].emplace(sides_[side_]);
  return sides_[side_].allocate(dtype, shape);
}

Tensor FrameWalk::history(DType dtype, const Shape& shape) {
  if (first_chunk()) histories_.push_back(history_.allocate(dtype, shape));
  const Tensor& out = histories_.at(next_history_++);
  if (out.shape != shape) {
    throw InternalError(
        cat("[vae] a chunk asks for a history of ", shape.text(), ", the first one had ", out.shape.text()));
  }
  return out;
}

void FrameWalk::copy(const Tensor& to, const Tensor& from) {
  if (device_ != nullptr) device_->copy(to.data, from.data, to.bytes());
}

void FrameWalk::zero(const Tensor& tensor) {
  if (device_ != nullptr) device_->zero(tensor.data, tensor.bytes());
}

CausalInput::CausalInput(FrameWalk& walk, DType dtype, const Shape& fresh_shape, std::int64_t kept_frames)
    : history(walk.history(dtype, with_frames(fresh_shape, kept_frames))),
      front(walk.first_chunk() ? kept_frames : 0),
      memory(walk.scratch().allocate(dtype, with_frames(fresh_shape, fresh_shape[0] + kept_frames))),
      whole(frame_range(memory, front, memory.shape[0])),
      fresh(frame_range(memory, kept_frames, memory.shape[0])) {
  if (front == 0) walk.copy(frame_range(whole, 0, kept_frames), history);
}

FrameConv CausalInput::into(const FrameConvWeight& weight, bool accumulate, const Tensor& y) const {
  return {whole, &weight, front, accumulate, y, true};
}

void CausalInput::keep(FrameWalk& walk) const {
  const std::int64_t kept = history.shape[0];
  const std::int64_t frames = whole.shape[0];
  const std::int64_t missing = frames < kept ? kept - frames : 0;
  if (missing > 0) walk.zero(frame_range(history, 0, missing));
  walk.copy(frame_range(history, missing, kept), frame_range(whole, frames - kept + missing, frames));
}

}  // namespace wan
