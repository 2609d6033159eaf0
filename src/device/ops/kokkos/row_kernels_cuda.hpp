#pragma once
#include <cuda_runtime_api.h>

#include <algorithm>
#include <cstdint>
#include <map>
#include <string>

#include "base/error.hpp"
#include "base/text.hpp"
#include "device/ops/kokkos/launch.hpp"
#include "device/ops/kokkos/pack_lanes.hpp"
#include "device/ops/kokkos/row_index.hpp"

namespace wan::kernels {

inline void check_launch(const char* label, cudaError_t status) {
  if (status != cudaSuccess) throw CommError(cat("[", label, "] CUDA: ", cudaGetErrorString(status)));
}

/// How blocks that stage rows run.
struct BlockShape {
  int lanes = 0;
  int stages = 0;            ///< places for what a group of lanes works on or has under way
  int stage_bytes = 0;       ///< of one place of a group
  int shared_bytes = 0;      ///< of all places of a block
  std::int64_t at_once = 0;  ///< blocks that the GPU runs side by side
};

/// work(shape, memory) in each block. At least Work::blocks of Work::most_lanes find registers on an SM.
template <class Work>
__global__ void __launch_bounds__(Work::most_lanes, Work::blocks)
    run_blocks(const Work work, const int stages, const std::uint32_t stage_bytes) {
  extern __shared__ __align__(16) char memory[];
  work(stages, stage_bytes, shared_address(memory));
}

/// Bytes that an SM should have under way: 4.3 TB/s over 132 SMs at the latency of a loaded memory, near a
/// microsecond.
inline constexpr int bytes_under_way = 49152;

/// What stages leave of an SM's memory to its cache, which keeps parameters and tables.
inline constexpr int cache_bytes = 32768;

/// The shape of blocks of `lanes`, each of `groups` groups of lanes that stage `stage_bytes` at a time: as
/// many stages as are of use and cost few blocks.
template <class Work>
BlockShape find_shape(const char* label, int lanes, int groups, int stage_bytes) {
  const cudaDeviceProp& gpu = Space().cuda_device_prop();
  const void* const function = reinterpret_cast<const void*>(&run_blocks<Work>);
  cudaFuncAttributes attributes{};
  check_launch(label, cudaFuncGetAttributes(&attributes, function));
  const int most_bytes = static_cast<int>(gpu.sharedMemPerBlockOptin - attributes.sharedSizeBytes);
  check_launch(label,
               cudaFuncSetAttribute(function, cudaFuncAttributeMaxDynamicSharedMemorySize, most_bytes));
  const auto room = static_cast<int>(gpu.sharedMemPerMultiprocessor) - cache_bytes;
  BlockShape shape{lanes, 0, stage_bytes, 0, 0};
  int blocks = 0;
  int most_blocks = 0;
  for (int stages = 1; stages <= most_stages && stages * groups * stage_bytes <= most_bytes; ++stages) {
    const int bytes = stages * groups * stage_bytes;
    int fitting = 0;
    check_launch(label, cudaOccupancyMaxActiveBlocksPerMultiprocessor(&fitting, function, lanes,
                                                                      static_cast<std::size_t>(bytes)));
    const int taken = bytes + static_cast<int>(attributes.sharedSizeBytes + gpu.reservedSharedMemPerBlock);
    fitting = std::min(fitting, std::max(1, room / taken));
    most_blocks = std::max(most_blocks, fitting);
    if (fitting == 0 || 4 * fitting < 3 * most_blocks) break;
    blocks = fitting;
    shape.stages = stages;
    shape.shared_bytes = bytes;
    if (blocks * (bytes - groups * stage_bytes) >= bytes_under_way) break;
  }
  if (blocks == 0)
    throw CommError(cat("[", label, "] a block of ", lanes, " lanes, ", attributes.numRegs,
                        " registers each, and ", groups * stage_bytes,
                        " bytes of shared memory: found no room on ", gpu.name, ", allowed up to ",
                        gpu.regsPerBlock, " and ", most_bytes));
  shape.at_once = std::int64_t{blocks} * gpu.multiProcessorCount;
  return shape;
}

/// As find_shape, which is asked once for each size of a stage.
template <class Work>
const BlockShape& block_shape(const char* label, int lanes, int groups, std::int64_t stage_bytes) {
  static std::map<std::int64_t, BlockShape> known;
  BlockShape& shape = known[stage_bytes];
  if (shape.at_once == 0) shape = find_shape<Work>(label, lanes, groups, static_cast<int>(stage_bytes));
  return shape;
}

/// `blocks` blocks of that shape, in the order of Kokkos' kernels and seen by its tools.
template <class Work>
void launch_blocks(const char* label, const BlockShape& shape, std::int64_t blocks, const Work& work) {
  const Space space;
  std::uint64_t id = 0;
  const bool watched = Kokkos::Tools::profileLibraryLoaded();
  if (watched) Kokkos::Tools::beginParallelFor(label, Kokkos::Tools::Experimental::device_id(space), &id);
  run_blocks<<<static_cast<unsigned>(blocks), static_cast<unsigned>(shape.lanes),
               static_cast<std::size_t>(shape.shared_bytes), space.cuda_stream()>>>(
      work, shape.stages, static_cast<std::uint32_t>(shape.stage_bytes));
  check_launch(label, cudaGetLastError());
  if (watched) Kokkos::Tools::endParallelFor(id);
}

template <class Scalars>
struct IndexedScalars {
  Scalars of_kernel;
  std::int32_t index;
};

/// Rows that warps take in turn, in packs.
template <class Kernel>
struct PackedRowPerWarp {
  static constexpr int warps = 4;
  static constexpr int most_lanes = 32 * warps;
  static constexpr int blocks = 6;

  std::int64_t rows;
  RowIndex index;
  Kernel kernel;

  KOKKOS_FORCEINLINE_FUNCTION void operator()(int stages, std::uint32_t stage_bytes,
                                              SharedAddress memory) const {
#if defined(__CUDA_ARCH__)
    const unsigned warp = threadIdx.x / 32;
    const WarpPacks lanes(static_cast<int>(threadIdx.x % 32));
    const RowRange range{std::int64_t{blockIdx.x} * warps + warp, rows, std::int64_t{gridDim.x} * warps};
    using Scalars = decltype(kernel.scalars(lanes, 0));
    walk_staged(
        lanes, kernel, range, stages, stage_bytes,
        memory + warp * static_cast<unsigned>(stages) * stage_bytes,
        [&](std::int64_t row) {
          return IndexedScalars<Scalars>{kernel.scalars(lanes, row), index(row)};
        },
        [&](std::int64_t row, const auto& of_row, const IndexedScalars<Scalars>& scalars) {
          kernel(lanes, row, of_row, scalars.of_kernel, kernel.parameters(lanes, scalars.index));
        });
#else
    static_cast<void>(stages);
    static_cast<void>(stage_bytes);
    static_cast<void>(memory);
#endif
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

/// The widest rows, in bytes of what a kernel stages of one, that warps take in packs.
inline constexpr std::int64_t most_staged_bytes = 40960;

/// The kernel on each row of `cols` columns, a warp each; r = row_index[row], 0 without an index. `packs`:
/// rows can be taken in packs.
template <class Kernel>
void launch_packed_rows(const char* label, std::int64_t rows, std::int64_t cols, bool packs,
                        const std::int32_t* row_index, const Kernel& kernel) {
  if (rows <= 0 || cols <= 0) return;
  if constexpr (Kernel::column_bytes > 0) {
    const std::int64_t stage_bytes = cols * Kernel::column_bytes;
    if (packs && stage_bytes <= most_staged_bytes) {
      using Work = PackedRowPerWarp<Kernel>;
      const BlockShape& shape = block_shape<Work>(label, Work::most_lanes, Work::warps, stage_bytes);
      launch_blocks(label, shape, std::min(shape.at_once, (rows + Work::warps - 1) / Work::warps),
                    Work{rows, {row_index}, kernel});
      return;
    }
  }
  launch_rows(label, rows, RowPerWarp<Kernel>{{row_index}, kernel});
}

}  // namespace wan::kernels
