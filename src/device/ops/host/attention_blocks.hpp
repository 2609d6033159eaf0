#pragma once
#include <omp.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <exception>
#include <vector>

#include "device/ops/attention.hpp"

namespace wan::host {

// A tile holds logits as [keys, queries], so that maxima, sums and everything else that belongs to a query
// lies along the vector and no sum runs across its lanes. One tile (256 KiB), its keys and its values stay in
// a core's second-level cache.
inline constexpr std::int64_t query_block = 128;
inline constexpr std::int64_t key_block = 512;
/// Queries of a tile are padded to whole vectors of this many.
inline constexpr std::int64_t vector_width = 16;

/// Floats between two keys of a tile with so many queries.
[[nodiscard]] inline std::int64_t tile_stride(std::int64_t queries) {
  return (queries + vector_width - 1) / vector_width * vector_width;
}

/// Zeros in the padding of a tile, where products do not write.
inline void clear_padding(float* tile, std::int64_t keys, std::int64_t queries) {
  const std::int64_t stride = tile_stride(queries);
  if (stride == queries) return;
  for (std::int64_t j = 0; j < keys; ++j)
    std::fill(tile + j * stride + queries, tile + (j + 1) * stride, 0.0F);
}

/// A head's columns of a matrix of all heads, in fp32.
struct HeadColumns {
  float* data;
  std::int64_t stride;

  HeadColumns(const Tensor& fp32, std::int64_t head, std::int64_t head_dim)
      : data(fp32.as<float>() + head * head_dim), stride(fp32.row_stride) {}
  [[nodiscard]] float* row(std::int64_t r) const { return data + r * stride; }
};

/// One head's queries [query_begin, query_end) of one segment and all keys they see.
struct AttentionTask {
  std::int64_t head;
  std::int64_t query_begin, query_end;
  std::int64_t key_begin, key_end;
  float last_key_bonus;  ///< ln(last_key_count)

  [[nodiscard]] std::int64_t queries() const { return query_end - query_begin; }
};

/// All heads of all segments that have queries and keys, cut into at most `most_queries` queries each.
[[nodiscard]] std::vector<AttentionTask> attention_tasks(const AttentionSegments& segments,
                                                         std::int64_t heads, std::int64_t most_queries);

/// Calls body(begin, end) for the rows that belong to no pair of queries and keys.
template <class Body>
void for_unseen_rows(const std::vector<std::int64_t>& own, const std::vector<std::int64_t>& other,
                     std::int64_t rows, const Body& body) {
  body(std::int64_t{0}, own.front());
  for (std::size_t s = 0; s + 1 < own.size(); ++s) {
    if (other[s] == other[s + 1]) body(own[s], own[s + 1]);
  }
  body(own.back(), rows);
}

/// body(task, thread number) for each task, on all OpenMP threads. What a body throws is thrown again here:
/// it must not leave a thread.
template <class Body>
void for_each_task(const std::vector<AttentionTask>& tasks, const Body& body) {
  const auto count = static_cast<std::int64_t>(tasks.size());
  std::exception_ptr failure;
#pragma omp parallel for schedule(dynamic) if (count > 1)
  for (std::int64_t i = 0; i < count; ++i) {
    try {
      body(tasks[static_cast<std::size_t>(i)], omp_get_thread_num());
    } catch (...) {
#pragma omp critical(wan_attention_failure)
      failure = std::current_exception();
    }
  }
  if (failure) std::rethrow_exception(failure);
}

}  // namespace wan::host
