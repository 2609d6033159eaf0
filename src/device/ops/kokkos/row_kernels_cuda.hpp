#pragma once
#include <cuda_runtime_api.h>

#include <algorithm>
#include <string>

#include "base/error.hpp"
#include "base/text.hpp"
#include "device/ops/kokkos/launch.hpp"
#include "device/ops/kokkos/row_index.hpp"
#include "device/ops/kokkos/rows_ahead.hpp"

namespace wan::kernels {

inline void check_launch(const char* label, cudaError_t status) {
  if (status != cudaSuccess) throw CommError(cat("[", label, "] CUDA: ", cudaGetErrorString(status)));
}

/// work(lanes, block, ahead, memory) in each block.
template <class Work>
__global__ void __launch_bounds__(most_lanes) run_blocks(const Work work, const int ahead) {
  extern __shared__ __align__(16) char stages[];
  work(BlockLanes(static_cast<int>(threadIdx.x), static_cast<int>(blockDim.x)), std::int64_t{blockIdx.x},
       ahead, stages);
}

/// How blocks that hold a row of `cols` columns run.
struct BlockShape {
  int lanes = 0;
  int ahead = 0;             ///< rows under way to shared memory
  int shared_bytes = 0;      ///< of the stages
  std::int64_t at_once = 0;  ///< blocks that the GPU runs side by side
};

/// Bytes that an SM should have under way: 4.3 TB/s over 132 SMs at the latency of a loaded memory, near a
/// microsecond.
inline constexpr int bytes_under_way = 49152;

template <class Work>
BlockShape block_shape(const char* label, std::int64_t cols) {
  constexpr int in_warp = 32 * lane_packs * pack_width;
  static BlockShape known[most_lanes / 32 + 1];
  const int warps = static_cast<int>((cols + in_warp - 1) / in_warp);
  BlockShape& shape = known[warps];
  if (shape.at_once > 0) return shape;
  const cudaDeviceProp& gpu = Space().cuda_device_prop();
  const void* const function = reinterpret_cast<const void*>(&run_blocks<Work>);
  shape.lanes = 32 * warps;
  int blocks = 0;
  cudaFuncAttributes attributes{};
  check_launch(label, cudaFuncGetAttributes(&attributes, function));
  const int most_bytes = static_cast<int>(gpu.sharedMemPerBlockOptin - attributes.sharedSizeBytes);
  check_launch(label,
               cudaFuncSetAttribute(function, cudaFuncAttributeMaxDynamicSharedMemorySize, most_bytes));
  const int stage_bytes = Work::row_bytes * shape.lanes;
  for (int ahead = 1; ahead <= most_ahead && ahead * stage_bytes <= most_bytes; ++ahead) {
    int fitting = 0;
    check_launch(label, cudaOccupancyMaxActiveBlocksPerMultiprocessor(
                            &fitting, function, shape.lanes, static_cast<std::size_t>(ahead * stage_bytes)));
    if (fitting == 0) break;
    blocks = fitting;
    shape.ahead = ahead;
    shape.shared_bytes = ahead * stage_bytes;
    if (blocks * shape.shared_bytes >= bytes_under_way) break;
  }
  if (blocks == 0)
    throw CommError(cat("[", label, "] a block of ", shape.lanes, " lanes, ", attributes.numRegs,
                        " registers each, and ", stage_bytes, " bytes of shared memory: found no room on ",
                        gpu.name, ", allowed up to ", gpu.regsPerBlock, " and ", most_bytes));
  shape.at_once = std::int64_t{blocks} * gpu.multiProcessorCount;
  return shape;
}

/// `blocks` blocks of that shape, in the order of Kokkos' kernels and seen by its tools.
template <class Work>
void launch_blocks(const char* label, const BlockShape& shape, std::int64_t blocks, const Work& work) {
  const Space space;
  std::uint64_t id = 0;
  const bool watched = Kokkos::Tools::profileLibraryLoaded();
  if (watched) Kokkos::Tools::beginParallelFor(label, Kokkos::Tools::Experimental::device_id(space), &id);
  const auto grid = static_cast<unsigned>(blocks);
  const auto lanes = static_cast<unsigned>(shape.lanes);
  run_blocks<<<grid, lanes, static_cast<std::size_t>(shape.shared_bytes), space.cuda_stream()>>>(work,
                                                                                                 shape.ahead);
  check_launch(label, cudaGetLastError());
  if (watched) Kokkos::Tools::endParallelFor(id);
}

/// A chunk of rows.
template <class Kernel>
struct RowChunk {
  static constexpr int row_bytes = Kernel::row_bytes;

  std::int64_t rows;
  std::int64_t chunk;
  RowIndex index;
  Kernel kernel;

  KOKKOS_FORCEINLINE_FUNCTION void operator()(const BlockLanes& lanes, std::int64_t number, int ahead,
                                              char* memory) const {
    const std::int64_t first = number * chunk;
    const std::int64_t last = first + chunk < rows ? first + chunk : rows;
    std::int64_t end = index.end_of_run(first, last);
    auto parameters = kernel.parameters(lanes, index(first));
    walk_ahead(lanes, kernel, first, last, ahead, memory,
               [&](std::int64_t row, const auto& of_row, const auto& scalars) {
                 if (row == end) {
                   end = index.end_of_run(row, last);
                   parameters = kernel.parameters(lanes, index(row));
                 }
                 kernel(lanes, row, of_row, scalars, parameters);
               });
  }
};

template <class Kernel>
struct RowPerWarp {
  RowIndex index;
  Kernel kernel;

  KOKKOS_FORCEINLINE_FUNCTION void operator()(const Lanes& lanes, std::int64_t row) const {
    kernel(lanes, row, kernel.rows(lanes, row), kernel.scalars(lanes, row),
           kernel.parameters(lanes, index(row)));
  }
};

/// The kernel on each row of `cols` columns; r = row_index[row], 0 without an index. Where rows can be taken
/// in packs and a block can hold them, blocks walk through chunks of them, else a warp takes each.
template <class Kernel>
void launch_packed_rows(const char* label, std::int64_t rows, std::int64_t cols, bool packs,
                        const std::int32_t* row_index, const Kernel& kernel) {
  if (rows <= 0 || cols <= 0) return;
  if constexpr (Kernel::row_bytes > 0) {
    if (packs && cols <= most_packed_columns) {
      using Work = RowChunk<Kernel>;
      const BlockShape shape = block_shape<Work>(label, cols);
      const std::int64_t chunk = (rows + shape.at_once - 1) / shape.at_once;
      launch_blocks(label, shape, (rows + chunk - 1) / chunk, Work{rows, chunk, {row_index}, kernel});
      return;
    }
  }
  launch_rows(label, rows, RowPerWarp<Kernel>{{row_index}, kernel});
}

}  // namespace wan::kernels
