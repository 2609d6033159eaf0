#pragma once
#include <cstdint>

#include "device/ops/attention.hpp"
#include "device/ops/kokkos/attention_part.hpp"
#include "device/ops/kokkos/workspace.hpp"

// Attention of many queries over few keys, as text has them, in one kernel each way (FlashAttention-2, Dao
// 2023): bf16, heads of few_keys_head_dim, matrices whose rows can be taken 16 bytes at a time, on Kokkos'
// stream. Of a part there is at least one query and one key. The same bits in every run on one kind of GPU;
// those of dk and dv depend on how many equal segments lie together. CommError where CUDA refuses.
namespace wan::kernels {

inline constexpr std::int64_t few_keys_head_dim = 128;
/// The most segments of a part.
inline constexpr std::int64_t few_keys_segments = 65535;

/// The part's rows of o and, if `a` has it, lse; any number of keys.
void few_keys_forward(const AttentionForward& a, const AttentionPart& part);

/// Whether this GPU's blocks have the shared memory for few_keys_backward.
[[nodiscard]] bool few_keys_backward_fits();

/// The part's rows of dq, dk and dv; its keys are all that lse was made from. D is made from P and dP. Takes
/// of the workspace the keys once more, sums for dk and dv (some ten megabytes) and, for more than 128 keys,
/// dq in fp32.
void few_keys_backward(Workspace& workspace, const AttentionBackward& a, const AttentionPart& part);

}  // namespace wan::kernels
