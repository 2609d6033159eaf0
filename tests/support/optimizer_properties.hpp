#pragma once
#include "comm/communicator.hpp"
#include "device/device.hpp"

// What the sharded optimizer promises, on any communicator. Expectations are gtest's, on every rank.
namespace wan::test {

struct OptimizerCase {
  const char* name;
  DType storage;
  bool averaged;
  double clip_norm;
};

/// fp32 and bf16 with masters, with and without averages, never clipped and clipped at two of three steps.
constexpr OptimizerCase optimizer_cases[] = {{"fp32_clipped", DType::f32, false, 4.0},
                                             {"fp32_averaged", DType::f32, true, 0.0},
                                             {"bf16", DType::bf16, false, 0.0},
                                             {"bf16_clipped_averaged", DType::bf16, true, 4.0}};

/// Twelve updates of a small model, to whose gradients every rank adds, against AdamW on whole tensors in
/// fp64: weights, masters, moments, averages, and the norm at every step. Collective.
void expect_plain_adamw(Device& device, const Communicator& ranks, const OptimizerCase& one);

/// A gradient that is not finite in one element on one rank makes the norm so on all. Collective.
void expect_all_see_what_is_not_finite(Device& device, const Communicator& ranks);

/// Weights that were loaded become masters and averages; masters that were loaded become the weights of every
/// rank. Collective.
void expect_loaded_state_is_taken_over(Device& device, const Communicator& ranks);

}  // namespace wan::test
