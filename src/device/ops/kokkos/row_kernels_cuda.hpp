#pragma once
#include <cuda_runtime_api.h>

#include <algorithm>
#include <cstdint>
#include <map>
#include <string>

#include "base/error.hpp"
#include "base/text.hpp"
#include "device/ops/kokkos/block_launch.hpp"
#include "device/ops/kokkos/launch.hpp"
#include "device/ops/kokkos/row_index.hpp"
#include "device/ops/kokkos/staged_rows.hpp"

namespace wan::kernels {

/// How blocks that stage rows run.
struct BlockShape {
  int lanes = 0;
  int stages = 0;            ///< places for what a block works on or has under way
  int stage_bytes = 0;       ///< of one place
  int shared_bytes = 0;      ///< of all places
  std::int64_t at_once = 0;  ///< blocks that the GPU runs side by side
};

/// work(stages) in each block. At least Work::blocks of Work::most_lanes find registers on an SM.
template <class Work>
__global__ void __launch_bounds__(Work::most_lanes, Work::blocks)
    run_blocks(const Work work, const int stages, const std::uint32_t stage_bytes) {
  extern __shared__ __align__(16) char memory[];
  work(Stages{stages, stage_bytes, shared_address(memory)});
}

/// Bytes that an SM should have under way: 4.3 TB/s over 132 SMs at the latency of a loaded memory, near a
/// microsecond.
inline constexpr int bytes_under_way = 49152;

/// What stages leave of an SM's memory to its cache, which keeps parameters and tables.
inline constexpr int cache_bytes = 32768;

/// The shape of blocks of `lanes` that stage `stage_bytes` at a time: as many stages as are of use and cost
/// few blocks.
template <class Work>
BlockShape find_shape(const char* label, int lanes, int stage_bytes) {
  const cudaDeviceProp& gpu = Space().cuda_device_prop();
  const void* const function = reinterpret_cast<const void*>(&run_blocks<Work>);
  cudaFuncAttributes attributes{};
  check_launch(label, cudaFuncGetAttributes(&attributes, function));
  const int most_bytes = static_cast<int>(gpu.sharedMemPerBlockOptin - attributes.sharedSizeBytes);
  allow_shared_memory(label, &run_blocks<Work>, most_bytes);
  const auto room = static_cast<int>(gpu.sharedMemPerMultiprocessor) - cache_bytes;
  BlockShape shape{lanes, 0, stage_bytes, 0, 0};
  int blocks = 0;
  int most_blocks = 0;
  for (int stages = 1; stages <= most_stages && stages * stage_bytes <= most_bytes; ++stages) {
    const int bytes = stages * stage_bytes;
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
    if (blocks * (bytes - stage_bytes) >= bytes_under_way) break;
  }
  if (blocks == 0)
    throw CommError(cat("[", label, "] a block of ", lanes, " lanes, ", attributes.numRegs,
                        " registers each, and ", stage_bytes, " bytes of shared memory: found no room on ",
                        gpu.name, ", allowed up to ", gpu.regsPerBlock, " and ", most_bytes));
  shape.at_once = std::int64_t{blocks} * gpu.multiProcessorCount;
  return shape;
}

/// As find_shape, which is asked once for each size of a stage.
template <class Work>
const BlockShape& block_shape(const char* label, int lanes, std::int64_t stage_bytes) {
  static std::map<std::int64_t, BlockShape> known;
  BlockShape& shape = known[stage_bytes];
  if (shape.at_once == 0) shape = find_shape<Work>(label, lanes, static_cast<int>(stage_bytes));
  return shape;
}

/// `blocks` blocks of that shape.
template <class Work>
void launch_blocks(const char* label, const BlockShape& shape, std::int64_t blocks, const Work& work) {
  launch_grid(label, run_blocks<Work>, dim3(static_cast<unsigned>(blocks)), shape.lanes, shape.shared_bytes,
              work, shape.stages, static_cast<std::uint32_t>(shape.stage_bytes));
}

template <class Scalars>
struct IndexedScalars {
  Scalars of_kernel;
  std::int32_t index;
};

/// The most rows that a block takes: so many that it seldom waits for parameters, and so few that blocks end
/// and begin all the time. SMs reach memory at different speeds; of one wave of long blocks the last would
/// end a tenth after the others.
inline constexpr std::int64_t most_rows_of_block = 5;

/// A block's rows, in packs.
template <class Kernel>
struct RowsPerBlock {
  static constexpr int most_lanes = kernels::most_lanes;
  // What a lane holds of one row and its parameters leaves room for three of them, what it holds of more not.
  static constexpr int blocks = Kernel::column_bytes <= bytes_of_column<bf16> ? 3 : 2;

  std::int64_t rows;
  std::int64_t of_block;  ///< rows that a block takes
  RowIndex index;
  Kernel kernel;

  KOKKOS_FORCEINLINE_FUNCTION void operator()(const Stages& stages) const {
#if defined(__CUDA_ARCH__)
    const PackLanes lanes(static_cast<int>(threadIdx.x), static_cast<int>(blockDim.x));
    const ParameterLanes parameter_lanes(lanes);
    const RowRange range = part_of_rows(rows, of_block, std::int64_t{blockIdx.x});
    const StagedWalk<HeldDelivery, Kernel> walk(lanes, kernel, range, stages);
    std::int32_t held = index(range.first);
    auto parameters = kernel.parameters(parameter_lanes, held);
    using Scalars = decltype(kernel.scalars(lanes, 0));
    walk.each(
        [&](std::int64_t row) {
          return IndexedScalars<Scalars>{kernel.scalars(lanes, row), index(row)};
        },
        [&](std::int64_t row, const auto& of_row, const IndexedScalars<Scalars>& scalars) {
          if (scalars.index != held) {
            held = scalars.index;
            parameters = kernel.parameters(parameter_lanes, held);
          }
          kernel(lanes, row, of_row, scalars.of_kernel, parameters);
        });
#else
    static_cast<void>(stages);
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

/// The kernel on each row of `cols` columns; r = row_index[row], 0 without an index. `packs`: rows can be
/// taken in packs.
template <class Kernel>
void launch_packed_rows(const char* label, std::int64_t rows, std::int64_t cols, bool packs,
                        const std::int32_t* row_index, const Kernel& kernel) {
  if (rows <= 0 || cols <= 0) return;
  if constexpr (Kernel::column_bytes > 0) {
    if (const int lanes = lanes_of_row(cols); packs && lanes > 0) {
      using Work = RowsPerBlock<Kernel>;
      const BlockShape& shape = block_shape<Work>(label, lanes, cols * Kernel::column_bytes);
      const std::int64_t of_block = std::clamp<std::int64_t>(rows / shape.at_once, 1, most_rows_of_block);
      launch_blocks(label, shape, (rows + of_block - 1) / of_block,
                    Work{rows, of_block, {row_index}, kernel});
      return;
    }
  }
  launch_rows(label, rows, RowPerWarp<Kernel>{{row_index}, kernel});
}

}  // namespace wan::kernels
