#pragma once
#include <Kokkos_Core.hpp>
#include <cstdint>

#include "base/bf16.hpp"
#include "device/ops/kokkos/pack.hpp"
#include "device/ops/kokkos/shared_memory.hpp"

// Products of small matrices of bf16 by the tensor cores of sm_80 and later, a warp at a time: mma.sync of
// 16 x 8 x 16 with its operands by ldmatrix, and how fragments lie in lanes (PTX ISA, "Matrix fragments for
// mma.m16n8k16"). Host code sees declarations only.
namespace wan::kernels {

/// Of a 16 x 16 left operand, or of two 16 x 8 right operands side by side.
struct Fragment {
  std::uint32_t word[4];
};

/// Of a 16 x 8 result: lane l has columns 2 (l % 4) and the next of row l / 4, and then of row l / 4 + 8.
struct Accumulator {
  float value[4];
};

/// bf16 rows of `cols` columns in shared memory. Pieces of 16 bytes are permuted within a row, so that the
/// same piece of eight neighbouring rows lies in different banks.
template <int cols>
struct Tile {
  static constexpr int pieces = cols / 8;
  static_assert(pieces % 8 == 0);

  SharedAddress at;

  static constexpr int bytes(int rows) { return rows * cols * 2; }
  KOKKOS_FORCEINLINE_FUNCTION SharedAddress place(int row, int piece) const {
    return at + static_cast<std::uint32_t>(row * cols * 2 + ((piece ^ (row & 7)) << 4));
  }
};

#if defined(__CUDA_ARCH__)
inline __device__ int lane_of_warp() {
  return static_cast<int>(threadIdx.x % 32);
}

inline __device__ Fragment load_matrices(SharedAddress at) {
  Fragment out;
  asm volatile("ldmatrix.sync.aligned.m8n8.x4.shared.b16 {%0, %1, %2, %3}, [%4];"
               : "=r"(out.word[0]), "=r"(out.word[1]), "=r"(out.word[2]), "=r"(out.word[3])
               : "r"(at)
               : "memory");
  return out;
}
inline __device__ Fragment load_transposed(SharedAddress at) {
  Fragment out;
  asm volatile("ldmatrix.sync.aligned.m8n8.x4.trans.shared.b16 {%0, %1, %2, %3}, [%4];"
               : "=r"(out.word[0]), "=r"(out.word[1]), "=r"(out.word[2]), "=r"(out.word[3])
               : "r"(at)
               : "memory");
  return out;
}

/// The left operand whose rows are rows `row` … + 15 of the tile, its columns `col` … + 15.
template <int cols>
__device__ Fragment left_of_rows(const Tile<cols>& tile, int row, int col) {
  const int lane = lane_of_warp();
  return load_matrices(tile.place(row + lane % 16, col / 8 + lane / 16));
}
/// The left operand whose rows are columns `col` … + 15 of the tile, its columns the tile's rows.
template <int cols>
__device__ Fragment left_of_columns(const Tile<cols>& tile, int row, int col) {
  const int lane = lane_of_warp();
  return load_transposed(tile.place(row + lane % 8 + lane / 16 * 8, col / 8 + lane / 8 % 2));
}
/// Two right operands, whose columns are rows `row` … + 15 of the tile, their rows its columns `col` … + 15.
template <int cols>
__device__ Fragment right_of_rows(const Tile<cols>& tile, int row, int col) {
  const int lane = lane_of_warp();
  return load_matrices(tile.place(row + lane % 8 + lane / 16 * 8, col / 8 + lane / 8 % 2));
}
/// Two right operands, whose columns are columns `col` … + 15 of the tile, their rows its rows.
template <int cols>
__device__ Fragment right_of_columns(const Tile<cols>& tile, int row, int col) {
  const int lane = lane_of_warp();
  return load_transposed(tile.place(row + lane % 16, col / 8 + lane / 16));
}

/// sum += left * the right operand `which` (0 or 1).
inline __device__ void multiply_add(Accumulator& sum, const Fragment& left, const Fragment& right,
                                    int which) {
  asm volatile(
      "mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {%0, %1, %2, %3}, {%4, %5, %6, %7}, {%8, %9}, "
      "{%0, %1, %2, %3};"
      : "+f"(sum.value[0]), "+f"(sum.value[1]), "+f"(sum.value[2]), "+f"(sum.value[3])
      : "r"(left.word[0]), "r"(left.word[1]), "r"(left.word[2]), "r"(left.word[3]),
        "r"(right.word[2 * which]), "r"(right.word[2 * which + 1]));
}

/// Two neighbouring results of 16 x 8, rounded, as the left operand they are.
inline __device__ Fragment left_of(const Accumulator& first, const Accumulator& second) {
  return {{bf16_pair(first.value[0], first.value[1]), bf16_pair(first.value[2], first.value[3]),
           bf16_pair(second.value[0], second.value[1]), bf16_pair(second.value[2], second.value[3])}};
}

/// Puts a result of 16 x 8, rounded, at row `row` and column `col` of the tile.
template <int cols>
__device__ void put(const Tile<cols>& tile, int row, int col, const Accumulator& result) {
  const int lane = lane_of_warp();
  const auto within = static_cast<std::uint32_t>(lane % 4 * 4);
  store_word(tile.place(row + lane / 4, col / 8) + within, bf16_pair(result.value[0], result.value[1]));
  store_word(tile.place(row + lane / 4 + 8, col / 8) + within, bf16_pair(result.value[2], result.value[3]));
}

/// Eight columns as they lie in a tile.
inline __device__ StoredPack<bf16, 8> stored_piece(SharedAddress at) {
  const Piece piece = load_shared(at);
  StoredPack<bf16, 8> out;
  std::memcpy(&out, &piece, sizeof out);
  return out;
}

/// Asks for rows 0 … rows - 1 of the tile by all `threads` of the block; those from `given` on become 0.
template <int cols>
__device__ void request_rows(const Tile<cols>& tile, const bf16* from, std::int64_t stride, int given,
                             int rows, int threads) {
  for (int i = static_cast<int>(threadIdx.x); i < rows * Tile<cols>::pieces; i += threads) {
    const int row = i / Tile<cols>::pieces;
    const int piece = i % Tile<cols>::pieces;
    if (row < given) {
      copy_to_shared(tile.place(row, piece), from + row * stride + piece * 8);
    } else {
      store_shared(tile.place(row, piece), Piece{});
    }
  }
  share_stores();
}

/// The sum, and the largest, of what the four lanes that share rows of a result have.
inline __device__ float sum_of_row(float value) {
  value += __shfl_xor_sync(0xffffffffU, value, 1);
  return value + __shfl_xor_sync(0xffffffffU, value, 2);
}
inline __device__ float largest_of_row(float value) {
  value = fmaxf(value, __shfl_xor_sync(0xffffffffU, value, 1));
  return fmaxf(value, __shfl_xor_sync(0xffffffffU, value, 2));
}

inline __device__ float power_of_two(float exponent) {
  float out;
  asm("ex2.approx.ftz.f32 %0, %1;" : "=f"(out) : "f"(exponent));
  return out;
}
#endif

}  // namespace wan::kernels
