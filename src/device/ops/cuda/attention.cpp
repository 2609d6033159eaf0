#include <cmath>
#include <limits>

#include "device/ops/cuda/attention_products.hpp"
#include "device/ops/cuda/cuda_ops.hpp"
#include "device/ops/kokkos/attention_rows.hpp"

namespace wan {
namespace {

/// Segments [first, end), which are equal.
cuda::AttentionPart part_of(const AttentionSegments& segments, std::size_t first, std::size_t end) {
  const std::int64_t times = segments.last_key_count.empty() ? 1 : segments.last_key_count[first];
  return {segments.query[first],
          segments.query[end],
          segments.key[first],
          segments.key[end],
          static_cast<float>(std::log(static_cast<double>(times))),
          static_cast<std::int64_t>(end - first)};
}

bool equal(const cuda::AttentionPart& a, const cuda::AttentionPart& b) {
  return a.queries() == b.queries() && a.keys() == b.keys() && a.last_key_bonus == b.last_key_bonus;
}

/// Calls body(part) for each run of equal segments that have queries and keys.
template <class Body>
void for_each_part(const AttentionSegments& segments, const Body& body) {
  for (std::size_t first = 0, end = 1; end < segments.query.size(); first = end++) {
    const cuda::AttentionPart one = part_of(segments, first, end);
    while (end + 1 < segments.query.size() && equal(one, part_of(segments, end, end + 1))) ++end;
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
  for_each_part(*a.segments, [&](const cuda::AttentionPart& part) {
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
  for_each_part(*a.segments, [&](const cuda::AttentionPart& part) {
    if (cudnn_.backward(workspace(), a, part)) return;
    for (std::int64_t i = 0; i < part.segments; ++i) {
      cuda::attend_back_by_products(blas_, workspace(), a, part.segment(i));
    }
  });
}

}  // namespace wan
