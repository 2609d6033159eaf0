#include <cmath>

#include "device/ops/kokkos/block_launch.hpp"
#include "device/ops/kokkos/few_keys_attention.hpp"
#include "device/ops/kokkos/few_keys_tiles.hpp"

// The forward of FlashAttention-2 (Dao 2023): a block takes 128 queries of a head, a warp 32 of them, and the
// keys go by in blocks of 64 with a running maximum and sum of each row.
namespace wan::kernels {
namespace {

constexpr int head_dim = static_cast<int>(few_keys_head_dim);
constexpr int block_queries = 128;
constexpr int block_keys = 64;
constexpr int warps = 4;
constexpr int threads = 32 * warps;
constexpr int warp_queries = block_queries / warps;
constexpr int row_tiles = warp_queries / 16;
constexpr int key_tiles = block_keys / 8;
constexpr int column_tiles = head_dim / 8;

struct Forward {
  Matrix<const bf16> q, k, v;
  Matrix<bf16> o;
  float* lse;  ///< of the first query, or none
  std::int64_t lse_stride;
  int queries, keys;  ///< of a segment
  float scale_log2;   ///< log2(e) times the scale
  float bonus_log2;   ///< of the last key

  static constexpr int shared_bytes = Rows::bytes(block_queries + 2 * block_keys);

#if defined(__CUDA_ARCH__)
  __device__ void operator()(SharedAddress memory) const {
    const Rows query_tile{memory};
    const Rows key_tile{memory + Rows::bytes(block_queries)};
    const Rows value_tile{memory + Rows::bytes(block_queries + block_keys)};
    const int first = static_cast<int>(blockIdx.x) * block_queries;
    const std::int64_t head = blockIdx.y;
    const std::int64_t segment = blockIdx.z;
    const std::int64_t query = segment * queries + first;
    const int own = static_cast<int>(threadIdx.x) / 32 * warp_queries;
    const bf16* const keys_of_head = k.row(segment * keys) + head * head_dim;
    const bf16* const values_of_head = v.row(segment * keys) + head * head_dim;
    const auto request = [&](const Rows& tile, const bf16* from, std::int64_t stride, int block) {
      if (block * block_keys < keys)
        request_rows(tile, from + block * block_keys * stride, stride, keys - block * block_keys, block_keys,
                     threads);
      close_request();
    };
    request_rows(query_tile, q.row(query) + head * head_dim, q.stride, queries - first, block_queries,
                 threads);
    request(key_tile, keys_of_head, k.stride, 0);
    request(value_tile, values_of_head, v.stride, 0);

    Accumulator out[row_tiles][column_tiles] = {};
    float highest[row_tiles][2];
    float sum[row_tiles][2] = {};
    for (auto& rows : highest) rows[0] = rows[1] = -INFINITY;
    const int blocks = (keys + block_keys - 1) / block_keys;
    for (int block = 0; block < blocks; ++block) {
      Accumulator logit[row_tiles][key_tiles] = {};
      wait_for_request(1);
      __syncthreads();
      add_logits(query_tile, key_tile, own, logit);
      __syncthreads();
      request(key_tile, keys_of_head, k.stride, block + 1);
      weigh(keys - block * block_keys, logit, highest, sum, out);
      wait_for_request(1);
      __syncthreads();
      add_values(logit, value_tile, out);
      __syncthreads();
      request(value_tile, values_of_head, v.stride, block + 1);
    }
    finish(query_tile, own, first, head, query, highest, sum, out);
  }

 private:
  static __device__ void add_logits(const Rows& query_tile, const Rows& key_tile, int own,
                                    Accumulator (&logit)[row_tiles][key_tiles]) {
#pragma unroll
    for (int d = 0; d < head_dim; d += 16) {
      Fragment left[row_tiles];
#pragma unroll
      for (int i = 0; i < row_tiles; ++i) left[i] = left_of_rows(query_tile, own + 16 * i, d);
#pragma unroll
      for (int j = 0; j < key_tiles; j += 2) {
        const Fragment right = right_of_rows(key_tile, 8 * j, d);
#pragma unroll
        for (int i = 0; i < row_tiles; ++i) {
          multiply_add(logit[i][j], left[i], right, 0);
          multiply_add(logit[i][j + 1], left[i], right, 1);
        }
      }
    }
  }

  /// Logits of the block become their weights under the row's maximum so far, and what was summed before is
  /// brought under it too. `left` keys are not yet seen.
  __device__ void weigh(int left, Accumulator (&logit)[row_tiles][key_tiles], float (&highest)[row_tiles][2],
                        float (&sum)[row_tiles][2], Accumulator (&out)[row_tiles][column_tiles]) const {
    const int lane_key = lane_of_warp() % 4 * 2;
#pragma unroll
    for (int i = 0; i < row_tiles; ++i) {
#pragma unroll
      for (int j = 0; j < key_tiles; ++j) {
#pragma unroll
        for (int e = 0; e < 4; ++e) logit[i][j].value[e] *= scale_log2;
      }
      if (left <= block_keys) {
#pragma unroll
        for (int j = 0; j < key_tiles; ++j) {
#pragma unroll
          for (int e = 0; e < 4; ++e) {
            const int key = 8 * j + lane_key + e % 2;
            float& value = logit[i][j].value[e];
            if (key == left - 1) value += bonus_log2;
            if (key >= left) value = -INFINITY;
          }
        }
      }
#pragma unroll
      for (int half = 0; half < 2; ++half) {
        float most = highest[i][half];
#pragma unroll
        for (int j = 0; j < key_tiles; ++j)
          most = fmaxf(most, fmaxf(logit[i][j].value[2 * half], logit[i][j].value[2 * half + 1]));
        most = largest_of_row(most);
        const float shrink = power_of_two(highest[i][half] - most);
        highest[i][half] = most;
        sum[i][half] *= shrink;
#pragma unroll
        for (int j = 0; j < key_tiles; ++j) {
#pragma unroll
          for (int e = 2 * half; e < 2 * half + 2; ++e) {
            logit[i][j].value[e] = power_of_two(logit[i][j].value[e] - most);
            sum[i][half] += logit[i][j].value[e];
          }
        }
#pragma unroll
        for (Accumulator& part : out[i]) {
          part.value[2 * half] *= shrink;
          part.value[2 * half + 1] *= shrink;
        }
      }
    }
  }

  static __device__ void add_values(const Accumulator (&weight)[row_tiles][key_tiles], const Rows& value_tile,
                                    Accumulator (&out)[row_tiles][column_tiles]) {
#pragma unroll
    for (int j = 0; j < key_tiles; j += 2) {
      Fragment left[row_tiles];
#pragma unroll
      for (int i = 0; i < row_tiles; ++i) left[i] = left_of(weight[i][j], weight[i][j + 1]);
#pragma unroll
      for (int c = 0; c < column_tiles; c += 2) {
        const Fragment right = right_of_columns(value_tile, 8 * j, 8 * c);
#pragma unroll
        for (int i = 0; i < row_tiles; ++i) {
          multiply_add(out[i][c], left[i], right, 0);
          multiply_add(out[i][c + 1], left[i], right, 1);
        }
      }
    }
  }

  /// Stores o, by way of the warp's own rows of the queries' tile, and lse.
  __device__ void finish(const Rows& query_tile, int own, int first, std::int64_t head, std::int64_t query,
                         const float (&highest)[row_tiles][2], const float (&sum)[row_tiles][2],
                         Accumulator (&out)[row_tiles][column_tiles]) const {
    const int lane = lane_of_warp();
#pragma unroll
    for (int i = 0; i < row_tiles; ++i) {
#pragma unroll
      for (int half = 0; half < 2; ++half) {
        const float total = sum_of_row(sum[i][half]);
        const float share = 1.0F / total;
#pragma unroll
        for (Accumulator& part : out[i]) {
          part.value[2 * half] *= share;
          part.value[2 * half + 1] *= share;
        }
        const int row = own + 16 * i + 8 * half + lane / 4;
        if (lse != nullptr && lane % 4 == 0 && first + row < queries)
          lse[head * lse_stride + query + row] = (highest[i][half] + log2f(total)) * (1.0F / log2_e);
      }
#pragma unroll
      for (int c = 0; c < column_tiles; ++c) put(query_tile, own + 16 * i, 8 * c, out[i][c]);
    }
    __syncwarp();
    for (int i = lane; i < warp_queries * Rows::pieces; i += 32) {
      const int row = own + i / Rows::pieces;
      const int piece = i % Rows::pieces;
      if (first + row < queries)
        store(o.row(query + row) + head * head_dim, Columns<8>{piece * 8},
              stored_piece(query_tile.place(row, piece)));
    }
  }
#endif
};

__global__ void __launch_bounds__(threads, 2) run_forward(const Forward work) {
#if defined(__CUDA_ARCH__)
  extern __shared__ __align__(128) char memory[];
  work(shared_address(memory));
#endif
}

}  // namespace

void few_keys_forward(const AttentionForward& a, const AttentionPart& part) {
  Forward work{};
  work.q = matrix<const bf16>(a.q.row_range(part.query_begin, part.query_end));
  work.k = matrix<const bf16>(a.k.row_range(part.key_begin, part.key_end));
  work.v = matrix<const bf16>(a.v.row_range(part.key_begin, part.key_end));
  work.o = matrix<bf16>(a.o.row_range(part.query_begin, part.query_end));
  work.lse = a.lse ? a.lse.as<float>() + part.query_begin : nullptr;
  work.lse_stride = a.q.rows();
  work.queries = static_cast<int>(part.queries());
  work.keys = static_cast<int>(part.keys());
  work.scale_log2 = a.scale * log2_e;
  work.bonus_log2 = part.last_key_bonus * log2_e;
  const dim3 grid(static_cast<unsigned>((work.queries + block_queries - 1) / block_queries),
                  static_cast<unsigned>(a.q.cols() / head_dim), static_cast<unsigned>(part.segments));
  launch_grid("few_keys_forward", run_forward, grid, threads, Forward::shared_bytes, work);
}

}  // namespace wan::kernels
