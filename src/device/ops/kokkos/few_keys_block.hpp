#pragma once
#include <cmath>

#include "device/ops/kokkos/few_keys_attention.hpp"
#include "device/ops/kokkos/few_keys_tiles.hpp"

// The gradient of attention as a block of a GPU makes it for keys that it holds whole (Dao 2023): dk and dv
// stay in registers while queries go by in tiles of 64, and dq is made without atomic sums. D comes from P
// and dP, and dq from centred keys, for what bf16 leaves of either.
namespace wan::kernels {

/// Up to `room` keys of a head and a run of its queries: a block's work. Member for member as the op's
/// tensors, of the part's first query and key; strides in elements.
template <int room>
struct FewKeysBlock {
  static constexpr int head_dim = static_cast<int>(few_keys_head_dim);
  static constexpr int tile_queries = 64;
  static constexpr int warps = 8;
  static constexpr int threads = 32 * warps;
  static constexpr int row_groups = tile_queries / 16;
  static constexpr int halves = warps / row_groups;  ///< of the keys, or of the columns
  static constexpr int own_keys = room / halves;
  static constexpr int key_tiles = own_keys / 8;
  static constexpr int dq_tiles = head_dim / halves / 8;
  // dk and dv: a warp has 16 keys and all columns, or a half of them where there are fewer keys than warps.
  static constexpr int key_groups = room / 16;
  static constexpr int column_groups = warps / key_groups;
  static constexpr int column_tiles = head_dim / column_groups / 8;
  using Pairs = Tile<room>;  ///< [queries, keys]

  static constexpr int shared_bytes =
      Rows::bytes(3 * room + 4 * tile_queries) + 2 * Pairs::bytes(tile_queries) + 4 * halves * tile_queries;

  Matrix<const bf16> q, k, k_for_dq, v, dout;
  Matrix<bf16> dq;
  const float* lse;  ///< of the first query
  std::int64_t lse_stride;
  int queries;               ///< of a segment
  int segment_keys;          ///< of a segment
  int first_key, held_keys;  ///< which of them are taken now
  float scale, scale_log2, bonus_log2;
  float* partial;           ///< [segments, heads, runs, 2, room, head_dim]: dk and dv of a run of queries
  float* row_sums;          ///< D, laid out as lse; none: the keys taken now are all
  Matrix<float> dq_so_far;  ///< of the keys taken before; with row_sums

  [[nodiscard]] KOKKOS_FORCEINLINE_FUNCTION bool last_keys() const {
    return first_key + held_keys == segment_keys;
  }

#if defined(__CUDA_ARCH__)
  /// `sums_only`: makes row_sums and nothing else.
  template <bool sums_only>
  __device__ void run(SharedAddress memory) const {
    const auto take = [&](int bytes) {
      const SharedAddress at = memory;
      memory += static_cast<std::uint32_t>(bytes);
      return at;
    };
    const Rows key_tile{take(Rows::bytes(room))};
    const Rows dq_key_tile{take(Rows::bytes(room))};
    const Rows value_tile{take(Rows::bytes(room))};
    const SharedAddress query_tiles = take(2 * Rows::bytes(tile_queries));
    const SharedAddress dout_tiles = take(2 * Rows::bytes(tile_queries));
    const Pairs weight_tile{take(Pairs::bytes(tile_queries))};
    const Pairs gradient_tile{take(Pairs::bytes(tile_queries))};
    const SharedAddress dots = take(4 * halves * tile_queries);

    const std::int64_t head = blockIdx.y;
    const std::int64_t segment = blockIdx.z;
    const std::int64_t column = head * head_dim;
    const int tiles = (queries + tile_queries - 1) / tile_queries;
    const int runs = static_cast<int>(gridDim.x);
    const int run = static_cast<int>(blockIdx.x);
    const int first_tile = static_cast<int>(std::int64_t{tiles} * run / runs);
    const int last_tile = static_cast<int>(std::int64_t{tiles} * (run + 1) / runs);
    const auto request = [&](int tile) {
      if (tile < last_tile) {
        const std::int64_t query = segment * queries + tile * tile_queries;
        const int given = queries - tile * tile_queries;
        const auto place = static_cast<std::uint32_t>(tile % 2 * Rows::bytes(tile_queries));
        request_rows(Rows{query_tiles + place}, q.row(query) + column, q.stride, given, tile_queries,
                     threads);
        request_rows(Rows{dout_tiles + place}, dout.row(query) + column, dout.stride, given, tile_queries,
                     threads);
      }
      close_request();
    };
    const auto request_keys = [&](const Rows& tile, const Matrix<const bf16>& from) {
      request_rows(tile, from.row(segment * segment_keys + first_key) + column, from.stride, held_keys, room,
                   threads);
    };
    request_keys(key_tile, k);
    request_keys(value_tile, v);
    if constexpr (!sums_only) request_keys(dq_key_tile, k_for_dq);
    request(first_tile);

    const int warp = static_cast<int>(threadIdx.x) / 32;
    const int row = warp % row_groups * 16;
    const int half = warp / row_groups;
    Accumulator dk[column_tiles] = {};
    Accumulator dv[column_tiles] = {};
    for (int tile = first_tile; tile < last_tile; ++tile) {
      const auto place = static_cast<std::uint32_t>(tile % 2 * Rows::bytes(tile_queries));
      const Rows query_tile{query_tiles + place};
      const Rows dout_tile{dout_tiles + place};
      request(tile + 1);
      wait_for_request(1);
      __syncthreads();
      make_gradient<sums_only>(tile, head, segment, row, half, {query_tile, dout_tile, key_tile, value_tile},
                               weight_tile, gradient_tile, dots);
      __syncthreads();
      if constexpr (!sums_only) {
        store_dq(tile, segment, column, row, half, gradient_tile, dq_key_tile);
        add_to_keys(weight_tile, dout_tile, warp, dv);
        add_to_keys(gradient_tile, query_tile, warp, dk);
        __syncthreads();
      }
    }
    if constexpr (!sums_only) {
      float* const to = partial + ((segment * gridDim.y + head) * runs + run) * 2 * room * head_dim;
      store_partial(to, warp, dk);
      store_partial(to + room * head_dim, warp, dv);
    }
  }

 private:
  struct Operands {
    Rows query, dout, key, value;
  };

  /// sum += rows of `left` times those of `right`.
  static __device__ void add_products(const Rows& left, int row, const Rows& right, int first,
                                      Accumulator (&sum)[key_tiles]) {
#pragma unroll
    for (int d = 0; d < head_dim; d += 16) {
      const Fragment rows = left_of_rows(left, row, d);
#pragma unroll
      for (int j = 0; j < key_tiles; j += 2) {
        const Fragment cols = right_of_rows(right, first + 8 * j, d);
        multiply_add(sum[j], rows, cols, 0);
        multiply_add(sum[j + 1], rows, cols, 1);
      }
    }
  }

  /// P and dS of the tile: a warp makes those of 16 queries and half of the keys.
  template <bool sums_only>
  __device__ void make_gradient(int tile, std::int64_t head, std::int64_t segment, int row, int half,
                                const Operands& in, const Pairs& weight_tile, const Pairs& gradient_tile,
                                SharedAddress dots) const {
    const int lane = lane_of_warp();
    const int first = half * own_keys;
    Accumulator weight[key_tiles] = {};    // logits, then P
    Accumulator gradient[key_tiles] = {};  // dP, then dS
    add_products(in.query, row, in.key, first, weight);
    add_products(in.dout, row, in.value, first, gradient);
    float shift[2];
    float dot[2] = {};
    std::int64_t place[2];  // of a query's lse and sum; < 0: there is none
#pragma unroll
    for (int r = 0; r < 2; ++r) {
      const int query = tile * tile_queries + row + 8 * r + lane / 4;
      place[r] = query < queries ? head * lse_stride + segment * queries + query : -1;
      shift[r] = place[r] >= 0 ? lse[place[r]] * log2_e : INFINITY;
    }
    const int last = last_keys() ? held_keys - 1 : -1;
#pragma unroll
    for (int j = 0; j < key_tiles; ++j) {
#pragma unroll
      for (int e = 0; e < 4; ++e) {
        const int key = first + 8 * j + lane % 4 * 2 + e % 2;
        float exponent = weight[j].value[e] * scale_log2 - shift[e / 2];
        if (key == last) exponent += bonus_log2;
        const float share = key < held_keys ? power_of_two(exponent) : 0.0F;
        weight[j].value[e] = share;
        dot[e / 2] += share * gradient[j].value[e];
      }
      if constexpr (!sums_only) put(weight_tile, row, first + 8 * j, weight[j]);
    }
#pragma unroll
    for (int r = 0; r < 2; ++r) {
      dot[r] = sum_of_row(dot[r]);
      if (lane % 4 == 0) store_word(dot_place(dots, half, row + 8 * r + lane / 4), __float_as_uint(dot[r]));
    }
    __syncthreads();
#pragma unroll
    for (int r = 0; r < 2; ++r) {
      dot[r] = 0;
      for (int part = 0; part < halves; ++part)
        dot[r] += __uint_as_float(load_word(dot_place(dots, part, row + 8 * r + lane / 4)));
      if (row_sums == nullptr || place[r] < 0) continue;
      if constexpr (sums_only) {
        if (half == 0 && lane % 4 == 0)
          row_sums[place[r]] = first_key == 0 ? dot[r] : row_sums[place[r]] + dot[r];
      } else {
        dot[r] = row_sums[place[r]];
      }
    }
    if constexpr (!sums_only) {
#pragma unroll
      for (int j = 0; j < key_tiles; ++j) {
#pragma unroll
        for (int e = 0; e < 4; ++e)
          gradient[j].value[e] = scale * weight[j].value[e] * (gradient[j].value[e] - dot[e / 2]);
        put(gradient_tile, row, first + 8 * j, gradient[j]);
      }
    }
  }
  static __device__ SharedAddress dot_place(SharedAddress dots, int half, int row) {
    return dots + static_cast<std::uint32_t>(4 * (half * tile_queries + row));
  }

  /// A warp makes 16 queries of dq, half of the columns.
  __device__ void store_dq(int tile, std::int64_t segment, std::int64_t column, int row, int half,
                           const Pairs& gradient_tile, const Rows& dq_key_tile) const {
    const int first = half * (head_dim / halves);
    Accumulator out[dq_tiles] = {};
#pragma unroll
    for (int key = 0; key < room; key += 16) {
      const Fragment left = left_of_rows(gradient_tile, row, key);
#pragma unroll
      for (int c = 0; c < dq_tiles; c += 2) {
        const Fragment right = right_of_columns(dq_key_tile, key, first + 8 * c);
        multiply_add(out[c], left, right, 0);
        multiply_add(out[c + 1], left, right, 1);
      }
    }
    const int lane = lane_of_warp();
#pragma unroll
    for (int r = 0; r < 2; ++r) {
      const int query = tile * tile_queries + row + 8 * r + lane / 4;
      if (query >= queries) continue;
      const std::int64_t at = segment * queries + query;
      const std::int64_t col = column + first + lane % 4 * 2;
#pragma unroll
      for (int c = 0; c < dq_tiles; ++c) {
        float2 pair = make_float2(out[c].value[2 * r], out[c].value[2 * r + 1]);
        auto* const so_far = reinterpret_cast<float2*>(dq_so_far.row(at) + col + 8 * c);
        if (first_key > 0) pair = make_float2(pair.x + so_far->x, pair.y + so_far->y);
        if (last_keys()) {
          *reinterpret_cast<std::uint32_t*>(dq.row(at) + col + 8 * c) = bf16_pair(pair.x, pair.y);
        } else {
          *so_far = pair;
        }
      }
    }
  }

  /// sum += the transpose of the pairs' tile times the rows of the queries.
  static __device__ void add_to_keys(const Pairs& pairs, const Rows& rows, int warp,
                                     Accumulator (&sum)[column_tiles]) {
    const int key = warp % key_groups * 16;
    const int first = warp / key_groups * (head_dim / column_groups);
#pragma unroll
    for (int query = 0; query < tile_queries; query += 16) {
      const Fragment left = left_of_columns(pairs, query, key);
#pragma unroll
      for (int c = 0; c < column_tiles; c += 2) {
        const Fragment right = right_of_columns(rows, query, first + 8 * c);
        multiply_add(sum[c], left, right, 0);
        multiply_add(sum[c + 1], left, right, 1);
      }
    }
  }

  static __device__ void store_partial(float* to, int warp, const Accumulator (&sum)[column_tiles]) {
    const int lane = lane_of_warp();
    const int key = warp % key_groups * 16 + lane / 4;
    const int first = warp / key_groups * (head_dim / column_groups) + lane % 4 * 2;
#pragma unroll
    for (int c = 0; c < column_tiles; ++c) {
#pragma unroll
      for (int r = 0; r < 2; ++r)
        *reinterpret_cast<float2*>(to + (key + 8 * r) * head_dim + first + 8 * c) =
            make_float2(sum[c].value[2 * r], sum[c].value[2 * r + 1]);
    }
  }
#endif
};

}  // namespace wan::kernels
