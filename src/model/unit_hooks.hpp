#pragma once

namespace wan {

/// Why a unit's parameters are wanted.
enum class Pass { forward, recompute, backward };

/// What the owner of parameters and gradients does around each unit: nothing by default; prefetching shards,
/// reducing gradients while the backward goes on. Units are numbered as in Parameters::units().
class UnitHooks {
 public:
  virtual ~UnitHooks() = default;
  /// Before the unit's weights are read.
  virtual void acquire(int /*unit*/, Pass /*pass*/) {}
  /// The weights will not be read again in this pass.
  virtual void release(int /*unit*/, Pass /*pass*/) {}
  /// The unit's gradients of this microbatch are complete (in stream order).
  virtual void grad_ready(int /*unit*/, bool /*last_microbatch*/) {}
};

}  // namespace wan
