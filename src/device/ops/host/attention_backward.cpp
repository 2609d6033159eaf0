#include "device/ops/host/attention_blocks.hpp"
#include "device/ops/host/host_ops.hpp"
#include "device/ops/host/matmul.hpp"
#include "device/ops/kokkos/launch.hpp"
#include "device/ops/kokkos/vector_math.hpp"
#include "device/ops/kokkos/widened.hpp"

namespace wan {
namespace {

using host::AttentionTask;
using host::HeadColumns;

struct BackwardProblem {
  Tensor q, k, v, o, dout, dq, dk, dv;  ///< fp32
  const float* lse;                     ///< [H, Nq]
  std::int64_t queries;
  std::int64_t head_dim;
  float scale;
  bool partial_keys;
};

/// One thread's scratch: probabilities and their gradients on a tile, and D of all queries of a task.
struct TileState {
  float* probability;
  float* gradient;
  float* row_sum;

  static constexpr std::int64_t tile = host::query_block * host::key_block;
  [[nodiscard]] static std::int64_t floats(std::int64_t most_queries) { return 2 * tile + most_queries; }
  explicit TileState(float* memory)
      : probability(memory), gradient(memory + tile), row_sum(memory + 2 * tile) {}
};

float dot(const float* a, const float* b, std::int64_t count) {
  return kernels::Lanes{}.sum(count, [=](std::int64_t d) { return a[d] * b[d]; });
}

/// logits -> P for one key and all queries of a tile.
void exponentiate(float* probability, std::int64_t queries, const float* lse, float bonus) {
  kernels::Lanes{}.each(
      queries, [=](std::int64_t i) { probability[i] = kernels::exp_fast(probability[i] + bonus - lse[i]); });
}

/// D += P dP for one key and all queries of a tile.
void add_products(const float* probability, const float* gradient, std::int64_t queries, float* row_sum) {
  kernels::Lanes{}.each(queries, [=](std::int64_t i) { row_sum[i] += probability[i] * gradient[i]; });
}

/// dP -> dS for one key and all queries of a tile.
void subtract_mean(const float* probability, float* gradient, std::int64_t queries, const float* row_sum,
                   float scale) {
  kernels::Lanes{}.each(
      queries, [=](std::int64_t i) { gradient[i] = scale * probability[i] * (gradient[i] - row_sum[i]); });
}

void backward_task(const BackwardProblem& p, const AttentionTask& task, const TileState& tile) {
  const HeadColumns q(p.q, task.head, p.head_dim);
  const HeadColumns k(p.k, task.head, p.head_dim);
  const HeadColumns v(p.v, task.head, p.head_dim);
  const HeadColumns o(p.o, task.head, p.head_dim);
  const HeadColumns dout(p.dout, task.head, p.head_dim);
  const HeadColumns dq(p.dq, task.head, p.head_dim);
  const HeadColumns dk(p.dk, task.head, p.head_dim);
  const HeadColumns dv(p.dv, task.head, p.head_dim);
  const float* const lse = p.lse + task.head * p.queries;
  // D comes from P and dP where one tile holds them all, else from O: it is needed before the last tile.
  const bool sums_tile = !p.partial_keys && task.key_end - task.key_begin <= host::key_block;
  std::fill_n(tile.row_sum, task.queries(), 0.0F);
  for (std::int64_t i = 0; !sums_tile && i < task.queries(); ++i) {
    tile.row_sum[i] = dot(dout.row(task.query_begin + i), o.row(task.query_begin + i), p.head_dim);
  }
  for (std::int64_t key = task.key_begin; key < task.key_end; key += host::key_block) {
    const std::int64_t keys = std::min(host::key_block, task.key_end - key);
    const bool last = key + keys == task.key_end;
    for (std::int64_t query = task.query_begin; query < task.query_end; query += host::query_block) {
      const std::int64_t rows = std::min(host::query_block, task.query_end - query);
      const std::int64_t stride = host::tile_stride(rows);
      const float add_keys = query == task.query_begin ? 0.0F : 1.0F;
      const float add_queries = key == task.key_begin ? 0.0F : 1.0F;
      host::matmul(keys, rows, p.head_dim, p.scale, {k.row(key), k.stride}, {q.row(query), q.stride, true}, 0,
                   tile.probability, stride);
      host::matmul(keys, rows, p.head_dim, 1, {v.row(key), v.stride}, {dout.row(query), dout.stride, true}, 0,
                   tile.gradient, stride);
      float* const row_sum = tile.row_sum + (query - task.query_begin);
      for (std::int64_t j = 0; j < keys; ++j) {
        const float bonus = last && j + 1 == keys ? task.last_key_bonus : 0.0F;
        exponentiate(tile.probability + j * stride, rows, lse + query, bonus);
        if (sums_tile) add_products(tile.probability + j * stride, tile.gradient + j * stride, rows, row_sum);
      }
      for (std::int64_t j = 0; j < keys; ++j) {
        subtract_mean(tile.probability + j * stride, tile.gradient + j * stride, rows, row_sum, p.scale);
      }
      host::matmul(keys, p.head_dim, rows, 1, {tile.probability, stride}, {dout.row(query), dout.stride},
                   add_keys, dv.row(key), dv.stride);
      host::matmul(keys, p.head_dim, rows, 1, {tile.gradient, stride}, {q.row(query), q.stride}, add_keys,
                   dk.row(key), dk.stride);
      host::matmul(rows, p.head_dim, keys, 1, {tile.gradient, stride, true}, {k.row(key), k.stride},
                   add_queries, dq.row(query), dq.stride);
    }
  }
}

void zero_rows(const Tensor& fp32, std::int64_t begin, std::int64_t end) {
  for (std::int64_t i = begin; i < end; ++i)
    std::fill_n(fp32.as<float>() + i * fp32.row_stride, fp32.cols(), 0.0F);
}

}  // namespace

void HostOps::run(const AttentionBackward& a) {
  const Workspace::Scope scope(workspace());
  const std::int64_t heads = a.q.cols() / a.head_dim;
  BackwardProblem problem{kernels::widened(workspace(), a.q),
                          kernels::widened(workspace(), a.k),
                          kernels::widened(workspace(), a.v),
                          kernels::widened(workspace(), a.o),
                          kernels::widened(workspace(), a.dout),
                          kernels::fp32_target(workspace(), a.dq),
                          kernels::fp32_target(workspace(), a.dk),
                          kernels::fp32_target(workspace(), a.dv),
                          a.lse.as<float>(),
                          a.q.rows(),
                          a.head_dim,
                          a.scale,
                          a.partial_keys};
  const AttentionSegments& segments = *a.segments;
  host::for_unseen_rows(segments.query, segments.key, a.q.rows(),
                        [&](std::int64_t begin, std::int64_t end) { zero_rows(problem.dq, begin, end); });
  host::for_unseen_rows(segments.key, segments.query, a.k.rows(), [&](std::int64_t begin, std::int64_t end) {
    zero_rows(problem.dk, begin, end);
    zero_rows(problem.dv, begin, end);
  });
  // Keys collect from all queries of their segment, so a task is a whole segment's head.
  const std::vector<AttentionTask> tasks =
      host::attention_tasks(segments, heads, std::max<std::int64_t>(a.q.rows(), 1));
  std::int64_t most_queries = 0;
  for (const AttentionTask& task : tasks) most_queries = std::max(most_queries, task.queries());
  const std::int64_t floats = TileState::floats(most_queries);
  float* const scratch = workspace().floats(omp_get_max_threads() * floats);
  host::for_each_task(tasks, [&](const AttentionTask& task, int thread) {
    backward_task(problem, task, TileState(scratch + thread * floats));
  });
  kernels::store_target(problem.dq, a.dq);
  kernels::store_target(problem.dk, a.dk);
  kernels::store_target(problem.dv, a.dv);
}

}  // namespace wan
