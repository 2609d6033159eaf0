#pragma once
#include <cstdint>

#include "config/choices.hpp"

namespace wan {

/// Learning rate over iterations, as Megatron-LM's optimizer_param_scheduler.py with equal batches: linear
/// from warmup_init to max over `warmup` iterations, then decay to `min` at `decay` iterations, `min` after.
struct LrSchedule {
  double max = 1e-4;
  double min = 1e-5;
  double warmup_init = 0;
  std::int64_t warmup = 0;
  std::int64_t decay = 1;
  LrDecay style = LrDecay::cosine;

  /// The rate of an iteration before which `completed` iterations were done: 0 is the first, whose rate is
  /// warmup_init when there is a warm-up.
  [[nodiscard]] double rate(std::int64_t completed) const;
};

}  // namespace wan
