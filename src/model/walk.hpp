#pragma once
#include <string_view>

#include "device/device.hpp"
#include "device/ops.hpp"
#include "model/dump.hpp"
#include "model/unit_hooks.hpp"
#include "tensor/arena.hpp"

namespace wan {

/// What may look on, or take part, while a model is walked.
struct Observers {
  Dump* dump = nullptr;
  UnitHooks* hooks = nullptr;
};

/// What a walk through a model's layers is handed: the ops, the memory for activations, and where to write
/// them for inspection. The same walk with the plan ops and a measuring arena moves no data and tells memory
/// and FLOPs.
class Walk {
 public:
  Walk(Device& device, Arena& arena, Observers observers = {})
      : device_(&device), ops_(&device.ops()), arena_(&arena), observers_(observers) {}
  /// Plans only.
  Walk(Ops& plan, Arena& measuring) : ops_(&plan), arena_(&measuring) {}

  /// True if nothing is computed.
  [[nodiscard]] bool planning() const { return device_ == nullptr; }
  [[nodiscard]] Ops& ops() const { return *ops_; }
  [[nodiscard]] Arena& arena() const { return *arena_; }

  /// From the arena, content undefined.
  [[nodiscard]] Tensor tensor(DType dtype, const Shape& shape) const {
    return arena_->allocate(dtype, shape);
  }
  /// From the arena, all zero.
  [[nodiscard]] Tensor zeros(DType dtype, const Shape& shape) const;
  /// Copies dense tensors of one dtype and size.
  void copy(const Tensor& to, const Tensor& from) const;

  void acquire(int unit, Pass pass) const {
    if (observers_.hooks != nullptr) observers_.hooks->acquire(unit, pass);
  }
  void release(int unit, Pass pass) const {
    if (observers_.hooks != nullptr) observers_.hooks->release(unit, pass);
  }
  void grad_ready(int unit, bool last_microbatch) const {
    if (observers_.hooks != nullptr) observers_.hooks->grad_ready(unit, last_microbatch);
  }

  [[nodiscard]] bool dumping() const { return observers_.dump != nullptr; }
  /// Writes `tensor` as "<unit>.<name>" if this walk is being dumped.
  void dump(std::string_view unit, std::string_view name, const Tensor& tensor) const;

 private:
  Device* device_ = nullptr;
  Ops* ops_;
  Arena* arena_;
  Observers observers_;
};

}  // namespace wan
