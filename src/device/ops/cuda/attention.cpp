#include <algorithm>
#include <cmath>
#include <initializer_list>
#include <limits>

#include "device/ops/cuda/attention_products.hpp"
#include "device/ops/cuda/cuda_ops.hpp"
#include "device/ops/cuda/product.hpp"
#include "device/ops/kokkos/attention_rows.hpp"
#include "device/ops/kokkos/few_keys_attention.hpp"

namespace wan {
namespace {

using kernels::AttentionPart;

/// Text has no more keys.
constexpr std::int64_t most_few_keys = 512;
/// With more keys, each of which counts once, cuDNN's backward is faster (a self-attention of as few is no
/// matter). So is a whole step with its forward, though ours is the faster of the two on its own: it leaves
/// the products after it a lower clock.
constexpr std::int64_t most_plain_keys = 128;

/// Whether the kernels for few keys are for so many.
bool has_few_keys(const AttentionPart& part) {
  return part.keys() <= (part.last_key_bonus == 0 ? most_plain_keys : most_few_keys);
}

/// Whether the kernels for few keys take these matrices.
bool takes_few_keys(std::int64_t head_dim, std::initializer_list<Tensor> matrices) {
  return head_dim == kernels::few_keys_head_dim &&
         std::all_of(matrices.begin(), matrices.end(), [](const Tensor& matrix) {
           return matrix.dtype == DType::bf16 && cuda::aligned(matrix);
         });
}

/// Segments [first, end), which are equal.
AttentionPart part_of(const AttentionSegments& segments, std::size_t first, std::size_t end) {
  const std::int64_t times = segments.last_key_count.empty() ? 1 : segments.last_key_count[first];
  return {segments.query[first],
          segments.query[end],
          segments.key[first],
          segments.key[end],
          static_cast<float>(std::log(static_cast<double>(times))),
          static_cast<std::int64_t>(end - first)};
}

bool equal(const AttentionPart& a, const AttentionPart& b) {
  return a.queries() == b.queries() && a.keys() == b.keys() && a.last_key_bonus == b.last_key_bonus;
}

/// Calls body(part) for each run of equal segments that have queries and keys.
template <class Body>
void for_each_part(const AttentionSegments& segments, const Body& body) {
  for (std::size_t first = 0, end = 1; end < segments.query.size(); first = end++) {
    const AttentionPart one = part_of(segments, first, end);
    while (end + 1 < segments.query.size() &&
           static_cast<std::int64_t>(end - first) < kernels::few_keys_segments &&
           equal(one, part_of(segments, end, end + 1)))
      ++end;
    if (one.queries() > 0 && one.keys() > 0) body(part_of(segments, first, end));
  }
}

/// Calls body(begin, end) for the rows that belong to no pair of queries and keys.
template <class Body>
void for_unseen_rows(const std::vector<std::int64_t>& own, const std::vector<std::int64_t>& other,
                     std::int64_t rows, const Body& body) {
  const auto call = [&](std::int64_t begin, std::int64_t end) {
    if (begin < end) body(begin, end);
  };
  call(0, own.front());
  for (std::size_t s = 0; s + 1 < own.size(); ++s) {
    if (other[s] == other[s + 1]) call(own[s], own[s + 1]);
  }
  call(own.back(), rows);
}

}  // namespace

void CudaOps::run(const AttentionForward& a) {
  const Workspace::Scope scope(workspace());
  for_unseen_rows(a.segments->query, a.segments->key, a.q.rows(), [&](std::int64_t begin, std::int64_t end) {
    kernels::fill(a.o.row_range(begin, end), 0);
    if (a.lse) kernels::fill(a.lse.col_range(begin, end), -std::numeric_limits<float>::infinity());
  });
  const bool few_keys = takes_few_keys(a.head_dim, {a.q, a.k, a.v, a.o});
  for_each_part(*a.segments, [&](const AttentionPart& part) {
    if (few_keys && has_few_keys(part)) {
      kernels::few_keys_forward(a, part);
      return;
    }
    if (cudnn_.forward(workspace(), a, part)) return;
    for (std::int64_t i = 0; i < part.segments; ++i) {
      cuda::attend_by_products(blas_, workspace(), a, part.segment(i));
    }
  });
}

void CudaOps::run(const AttentionBackward& a) {
  const Workspace::Scope scope(workspace());
  for_unseen_rows(a.segments->query, a.segments->key, a.q.rows(), [&](std::int64_t begin, std::int64_t end) {
    kernels::fill(a.dq.row_range(begin, end), 0);
  });
  for_unseen_rows(a.segments->key, a.segments->query, a.k.rows(), [&](std::int64_t begin, std::int64_t end) {
    kernels::fill(a.dk.row_range(begin, end), 0);
    kernels::fill(a.dv.row_range(begin, end), 0);
  });
  const bool few_keys = !a.partial_keys && kernels::few_keys_backward_fits() &&
                        takes_few_keys(a.head_dim, {a.q, a.k, a.v, a.dout, a.dq, a.dk, a.dv});
  for_each_part(*a.segments, [&](const AttentionPart& part) {
    if (few_keys && has_few_keys(part)) {
      kernels::few_keys_backward(workspace(), a, part);
      return;
    }
    if (cudnn_.backward(workspace(), a, part)) return;
    for (std::int64_t i = 0; i < part.segments; ++i) {
      cuda::attend_back_by_products(blas_, workspace(), a, part.segment(i));
    }
  });
}

}  // namespace wan
