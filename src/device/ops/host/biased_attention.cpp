#include <algorithm>
#include <vector>

#include "device/ops/host/attention_blocks.hpp"
#include "device/ops/host/host_text_ops.hpp"
#include "device/ops/host/matmul.hpp"
#include "device/ops/kokkos/vector_math.hpp"
#include "device/ops/kokkos/widened.hpp"

namespace wan {
namespace {

using host::AttentionTask;
using host::HeadColumns;

struct Problem {
  Tensor q, k, v, o;  ///< fp32
  std::int64_t head_dim;
  std::int64_t longest;  ///< segment
  const float* bias;     ///< [H, 2 longest - 1]: a head's bias by key - query + longest - 1
};

/// One row of logits becomes shares that sum to 1; rows are short enough to be kept whole.
void softmax(float* row, std::int64_t count) {
  float highest = row[0];
#pragma omp simd reduction(max : highest)
  for (std::int64_t j = 0; j < count; ++j) highest = std::max(highest, row[j]);
  float sum = 0;
#pragma omp simd reduction(+ : sum)
  for (std::int64_t j = 0; j < count; ++j) {
    row[j] = kernels::exp_fast(row[j] - highest);
    sum += row[j];
  }
  const float share = 1.0F / sum;
#pragma omp simd
  for (std::int64_t j = 0; j < count; ++j) row[j] *= share;
}

void run_task(const Problem& p, const AttentionTask& task, float* scores) {
  const HeadColumns q(p.q, task.head, p.head_dim);
  const HeadColumns k(p.k, task.head, p.head_dim);
  const HeadColumns v(p.v, task.head, p.head_dim);
  const HeadColumns o(p.o, task.head, p.head_dim);
  const std::int64_t keys = task.key_end - task.key_begin;
  host::matmul(task.queries(), keys, p.head_dim, 1, {q.row(task.query_begin), q.stride},
               {k.row(task.key_begin), k.stride, true}, 0, scores, keys);
  for (std::int64_t i = 0; i < task.queries(); ++i) {
    float* const row = scores + i * keys;
    const std::int64_t query = task.query_begin + i - task.key_begin;
    const float* const bias = p.bias + task.head * (2 * p.longest - 1) + p.longest - 1 - query;
#pragma omp simd
    for (std::int64_t j = 0; j < keys; ++j) row[j] += bias[j];
    softmax(row, keys);
  }
  host::matmul(task.queries(), p.head_dim, keys, 1, {scores, keys}, {v.row(task.key_begin), v.stride}, 0,
               o.row(task.query_begin), o.stride);
}

std::int64_t longest_segment(const std::vector<std::int64_t>& offset) {
  std::int64_t longest = 1;
  for (std::size_t s = 1; s < offset.size(); ++s) longest = std::max(longest, offset[s] - offset[s - 1]);
  return longest;
}

}  // namespace

void HostTextOps::run(const BiasedAttention& a) {
  const Workspace::Scope scope(workspace());
  const std::int64_t heads = a.q.cols() / a.head_dim;
  const std::int64_t longest = longest_segment(a.segments->query);
  const std::int64_t distances = 2 * longest - 1;
  const Tensor table = kernels::widened(workspace(), a.bias);
  float* const bias = workspace().floats(heads * distances);
  for (std::int64_t i = 0; i < distances; ++i) {
    const float* const row = table.as<float>() + a.buckets.bucket(i - (longest - 1)) * table.row_stride;
    for (std::int64_t head = 0; head < heads; ++head) bias[head * distances + i] = row[head];
  }
  const Problem problem{kernels::widened(workspace(), a.q),
                        kernels::widened(workspace(), a.k),
                        kernels::widened(workspace(), a.v),
                        kernels::fp32_target(workspace(), a.o),
                        a.head_dim,
                        longest,
                        bias};
  const std::int64_t tile = host::query_block * longest;
  float* const scores = workspace().floats(omp_get_max_threads() * tile);
  host::for_each_task(
      host::attention_tasks(*a.segments, heads, host::query_block),
      [&](const AttentionTask& task, int thread) { run_task(problem, task, scores + thread * tile); });
  kernels::store_target(problem.o, a.o);
}

}  // namespace wan
