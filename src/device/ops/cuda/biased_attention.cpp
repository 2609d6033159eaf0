#include <algorithm>
#include <vector>

#include "device/ops/cuda/attention_products.hpp"
#include "device/ops/cuda/cuda_text_ops.hpp"
#include "device/ops/kokkos/attention_rows.hpp"

namespace wan {
namespace {

std::int64_t longest_segment(const std::vector<std::int64_t>& offset) {
  std::int64_t longest = 1;
  for (std::size_t s = 1; s < offset.size(); ++s) longest = std::max(longest, offset[s] - offset[s - 1]);
  return longest;
}

}  // namespace

void CudaTextOps::run(const BiasedAttention& a) {
  const Workspace::Scope scope(workspace());
  const std::vector<std::int64_t>& offset = a.segments->query;
  const std::int64_t longest = longest_segment(offset);
  const cuda::PositionBias bias{kernels::spread_position_bias(workspace(), a.bias, a.buckets, longest),
                                longest};
  AttentionForward plain;
  plain.q = a.q;
  plain.k = a.k;
  plain.v = a.v;
  plain.head_dim = a.head_dim;
  plain.scale = 1;
  plain.o = a.o;
  for (std::size_t s = 0; s + 1 < offset.size(); ++s) {
    if (offset[s] == offset[s + 1]) continue;
    const kernels::AttentionPart part{offset[s], offset[s + 1], offset[s], offset[s + 1], 0};
    cuda::attend_by_products(blas_, workspace(), plain, part, bias);
  }
}

}  // namespace wan
