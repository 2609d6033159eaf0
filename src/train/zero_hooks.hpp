#pragma once
#include <cstddef>

#include "model/unit_hooks.hpp"
#include "train/zero_optimizer.hpp"

namespace wan {

/// Lets the sharded optimizer's messages travel while the model computes: each unit's gradients are summed as
/// soon as the last micro batch has added to them, and each unit's new weights are waited for where they are
/// first read.
class ZeroHooks : public UnitHooks {
 public:
  explicit ZeroHooks(ZeroOptimizer& optimizer) : optimizer_(optimizer) {}

  void acquire(int unit, Pass pass) override {
    if (pass == Pass::forward) optimizer_.await_weights(static_cast<std::size_t>(unit));
  }
  void grad_ready(int unit, bool last_microbatch) override {
    if (last_microbatch) optimizer_.reduce(static_cast<std::size_t>(unit));
  }

 private:
  ZeroOptimizer& optimizer_;
};

}  // namespace wan
