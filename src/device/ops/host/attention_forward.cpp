#include <limits>

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

constexpr float minus_infinity = -std::numeric_limits<float>::infinity();

/// One thread's scratch: the logits of a tile, and per query the largest logit and the sum of exponentials so
/// far, and by what the newest keys shrink what earlier ones gave.
struct TileState {
  float* scores;
  float* largest;
  float* sum;
  float* shrink;

  static constexpr std::int64_t floats = host::query_block * (host::key_block + 3);
  explicit TileState(float* memory)
      : scores(memory),
        largest(memory + host::query_block * host::key_block),
        sum(largest + host::query_block),
        shrink(sum + host::query_block) {}
};

/// Turns logits into e^(logit - largest so far) for one vector of queries beginning at `at`, all keys of the
/// tile.
void softmax_queries(const TileState& tile, std::int64_t keys, std::int64_t stride, std::int64_t at) {
  constexpr int width = host::vector_width;
  float highest[width];
  float added[width] = {};
  std::copy_n(tile.largest + at, width, highest);
  for (std::int64_t j = 0; j < keys; ++j) {
    const float* const row = tile.scores + j * stride + at;
#pragma omp simd
    for (int lane = 0; lane < width; ++lane)
      highest[lane] = row[lane] > highest[lane] ? row[lane] : highest[lane];
  }
  for (std::int64_t j = 0; j < keys; ++j) {
    float* const row = tile.scores + j * stride + at;
#pragma omp simd
    for (int lane = 0; lane < width; ++lane) {
      const float p = kernels::exp_fast(row[lane] - highest[lane]);
      row[lane] = p;
      added[lane] += p;
    }
  }
  float* const largest = tile.largest + at;
  float* const sum = tile.sum + at;
  float* const shrink = tile.shrink + at;
#pragma omp simd
  for (int lane = 0; lane < width; ++lane) {
    shrink[lane] = kernels::exp_fast(largest[lane] - highest[lane]);
    sum[lane] = sum[lane] * shrink[lane] + added[lane];
    largest[lane] = highest[lane];
  }
}

void scale_row(float* row, std::int64_t count, float factor) {
  kernels::Lanes{}.each(count, [=](std::int64_t d) { row[d] *= factor; });
}

struct ForwardProblem {
  Tensor q, k, v, o;  ///< fp32
  float* lse;         ///< [H, Nq] or none
  std::int64_t queries;
  std::int64_t head_dim;
  float scale;
};

/// Softmax over blocks of keys with running maximum and sum (Milakov and Gimelshein 2018; Dao et al. 2022).
void forward_task(const ForwardProblem& p, const AttentionTask& task, const TileState& tile) {
  const HeadColumns q(p.q, task.head, p.head_dim);
  const HeadColumns k(p.k, task.head, p.head_dim);
  const HeadColumns v(p.v, task.head, p.head_dim);
  const HeadColumns o(p.o, task.head, p.head_dim);
  const std::int64_t queries = task.queries();
  const std::int64_t stride = host::tile_stride(queries);
  std::fill_n(tile.largest, stride, minus_infinity);
  std::fill_n(tile.sum, stride, 0.0F);
  for (std::int64_t key = task.key_begin; key < task.key_end; key += host::key_block) {
    const std::int64_t keys = std::min(host::key_block, task.key_end - key);
    const bool first = key == task.key_begin;
    host::clear_padding(tile.scores, keys, queries);
    host::matmul(keys, queries, p.head_dim, p.scale, {k.row(key), k.stride},
                 {q.row(task.query_begin), q.stride, true}, 0, tile.scores, stride);
    if (key + keys == task.key_end && task.last_key_bonus != 0) {
      float* const last = tile.scores + (keys - 1) * stride;
      for (std::int64_t i = 0; i < queries; ++i) last[i] += task.last_key_bonus;
    }
    for (std::int64_t at = 0; at < stride; at += host::vector_width) softmax_queries(tile, keys, stride, at);
    for (std::int64_t i = 0; !first && i < queries; ++i) {
      if (tile.shrink[i] != 1.0F) scale_row(o.row(task.query_begin + i), p.head_dim, tile.shrink[i]);
    }
    host::matmul(queries, p.head_dim, keys, 1, {tile.scores, stride, true}, {v.row(key), v.stride},
                 first ? 0.0F : 1.0F, o.row(task.query_begin), o.stride);
  }
  for (std::int64_t i = 0; i < queries; ++i) {
    scale_row(o.row(task.query_begin + i), p.head_dim, 1.0F / tile.sum[i]);
    if (p.lse != nullptr) {
      p.lse[task.head * p.queries + task.query_begin + i] = tile.largest[i] + std::log(tile.sum[i]);
    }
  }
}

}  // namespace

void HostOps::run(const AttentionForward& a) {
  const Workspace::Scope scope(workspace());
  const std::int64_t heads = a.q.cols() / a.head_dim;
  ForwardProblem problem{kernels::widened(workspace(), a.q),
                         kernels::widened(workspace(), a.k),
                         kernels::widened(workspace(), a.v),
                         kernels::fp32_target(workspace(), a.o),
                         a.lse.as<float>(),
                         a.q.rows(),
                         a.head_dim,
                         a.scale};
  host::for_unseen_rows(a.segments->query, a.segments->key, a.q.rows(),
                        [&](std::int64_t begin, std::int64_t end) {
                          for (std::int64_t i = begin; i < end; ++i) {
                            std::fill_n(problem.o.as<float>() + i * problem.o.row_stride, a.q.cols(), 0.0F);
                            for (std::int64_t head = 0; problem.lse != nullptr && head < heads; ++head) {
                              problem.lse[head * a.q.rows() + i] = minus_infinity;
                            }
                          }
                        });
  float* const scratch = workspace().floats(omp_get_max_threads() * TileState::floats);
  host::for_each_task(host::attention_tasks(*a.segments, heads, host::query_block),
                      [&](const AttentionTask& task, int thread) {
                        forward_task(problem, task, TileState(scratch + thread * TileState::floats));
                      });
  kernels::store_target(problem.o, a.o);
}

}  // namespace wan
