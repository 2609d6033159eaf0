#pragma once
#include "device/ops/kokkos/column_sums.hpp"
#include "device/ops/kokkos/row_kernels.hpp"
#include "device/ops/kokkos/row_sums.hpp"

namespace wan::kernels {

/// Sums of one run of rows, in the registers of the lanes of a block.
template <int count>
class RegisterSums {
 public:
  KOKKOS_FORCEINLINE_FUNCTION void add(int number, Columns<pack_width> c, const Pack<pack_width>& term) {
    sum_[number][c.slot] += term;
  }

  KOKKOS_FORCEINLINE_FUNCTION void begin(const PackLanes&, std::int64_t, float* const*, bool) {
    for (int number = 0; number < count; ++number) {
      for (int slot = 0; slot < lane_packs; ++slot) sum_[number][slot] = {};
    }
  }
  KOKKOS_FORCEINLINE_FUNCTION void end(const PackLanes& lanes, std::int64_t cols, float* const* to,
                                       bool fresh) const {
    lanes.each(cols, [&](Columns<pack_width> c) {
      for (int number = 0; number < count; ++number) {
        if (to[number] == nullptr) continue;
        const Pack<pack_width>& sum = sum_[number][c.slot];
        store(to[number], c, fresh ? sum : load(to[number], c) + sum);
      }
    });
  }

 private:
  Pack<pack_width> sum_[count][lane_packs];
};

/// Sums of one run of rows that a warp adds up in memory.
template <int count>
class WarpSums : public MemorySums<count> {
 public:
  KOKKOS_FORCEINLINE_FUNCTION void begin(const Lanes& lanes, std::int64_t cols, float* const* to,
                                         bool fresh) {
    for (int number = 0; number < count; ++number) {
      float* const at = to[number];
      this->at[number] = at;
      if (fresh) lanes.each(cols, [=](std::int64_t c) { at[c] = 0; });
    }
    lanes.sync();
  }
  KOKKOS_FORCEINLINE_FUNCTION void add(int number, std::int64_t c, float term) const {
    if (this->at[number] != nullptr) MemorySums<count>::add(number, c, term);
  }
  KOKKOS_FORCEINLINE_FUNCTION void end(const Lanes&, std::int64_t, float* const*, bool) const {}
};

template <int count>
KOKKOS_FORCEINLINE_FUNCTION RegisterSums<count> sums_of(const PackLanes&) {
  return {};
}

/// Beside one matrix' sums, registers have room for a row and its parameters; beside those of more, rows stay
/// in shared memory and parameters in the caches.
template <int count>
using SummedDelivery = std::conditional_t<count == 1, HeldDelivery, StagedDelivery>;
template <int count>
KOKKOS_FORCEINLINE_FUNCTION decltype(auto) lanes_of_parameters(const PackLanes& lanes) {
  if constexpr (count == 1) {
    return ParameterLanes(lanes);
  } else {
    return (lanes);
  }
}
template <int count>
KOKKOS_FORCEINLINE_FUNCTION const Lanes& lanes_of_parameters(const Lanes& lanes) {
  return lanes;
}

template <int count>
KOKKOS_FORCEINLINE_FUNCTION WarpSums<count> sums_of(const Lanes&) {
  return {};
}

/// One chunk of rows, whose first run puts its sums into a row of `partial` (column_sums_cuda.hpp says why).
template <int count, class Kernel>
struct SummedChunk {
  static constexpr int most_lanes = kernels::most_lanes;
  static constexpr int blocks = 2;

  std::int64_t rows;
  std::int64_t cols;
  std::int64_t chunk;
  RowSums<count> sums;
  float* partial;          ///< [chunks, count * cols]
  std::int32_t* of_chunk;  ///< [chunks]: the index of each first run
  Kernel kernel;

  /// By a block.
  KOKKOS_FORCEINLINE_FUNCTION void operator()(const Stages& stages) const {
#if defined(__CUDA_ARCH__)
    const PackLanes lanes(static_cast<int>(threadIdx.x), static_cast<int>(blockDim.x));
    const std::int64_t number = blockIdx.x;
    const RowRange range = part_of_rows(rows, chunk, number);
    const StagedWalk<SummedDelivery<count>, Kernel> walk(lanes, kernel, range, stages);
    sum(lanes, number, range, [&](const auto& body) {
      walk.each([&](std::int64_t row) { return kernel.scalars(lanes, row); }, body);
    });
#else
    static_cast<void>(stages);
#endif
  }
  /// By a warp.
  KOKKOS_FORCEINLINE_FUNCTION void operator()(const Lanes& lanes, std::int64_t number) const {
    const RowRange range = part_of_rows(rows, chunk, number);
    sum(lanes, number, range, [&](const auto& body) {
      for (std::int64_t row = range.first; row < range.last; ++row)
        body(row, kernel.rows(lanes, row), kernel.scalars(lanes, row));
    });
  }

 private:
  /// each_row(body) calls the body for each row.
  template <class AnyLanes, class EachRow>
  KOKKOS_FORCEINLINE_FUNCTION void sum(const AnyLanes& lanes, std::int64_t number, const RowRange& range,
                                       const EachRow& each_row) const {
    const auto [first, last] = range;
    const RowIndex index{sums.row_index};
    auto part = sums_of<count>(lanes);
    bool fresh = true;
    std::int64_t end = index.end_of_run(first, last);
    auto parameters = kernel.parameters(lanes_of_parameters<count>(lanes), index(first));
    lanes.once([&] { of_chunk[number] = index(first); });
    float* to[count];
    targets(number, fresh, index(first), to);
    part.begin(lanes, cols, to, fresh);
    each_row([&](std::int64_t row, const auto& of_row, const auto& scalars) {
      if (row == end) {
        part.end(lanes, cols, to, fresh);
        fresh = false;
        end = index.end_of_run(row, last);
        const std::int32_t r = index(row);
        parameters = kernel.parameters(lanes_of_parameters<count>(lanes), r);
        targets(number, fresh, r, to);
        part.begin(lanes, cols, to, fresh);
      }
      kernel(lanes, row, of_row, scalars, parameters, part);
    });
    part.end(lanes, cols, to, fresh);
  }

  KOKKOS_FORCEINLINE_FUNCTION void targets(std::int64_t number, bool fresh, std::int32_t r,
                                           float* (&to)[count]) const {
#pragma unroll
    for (int i = 0; i < count; ++i) {
      const Matrix<float>& out = sums.out[i];
      to[i] = fresh ? partial + (number * count + i) * cols : out.data == nullptr ? nullptr : out.row(r);
    }
  }
};

/// Where the sums of a row of partial sums belong.
template <int count>
struct PlaceOfSum {
  std::int64_t cols;
  RowSums<count> sums;

  KOKKOS_FORCEINLINE_FUNCTION float* operator()(std::int64_t r, std::int64_t column) const {
    const Matrix<float>& out = sums.out[column / cols];
    return out.data == nullptr ? nullptr : out.row(r) + column % cols;
  }
};

struct PartialSum {
  const float* partial;
  std::int64_t cols;

  KOKKOS_FORCEINLINE_FUNCTION float operator()(std::int64_t row, std::int64_t c) const {
    return partial[row * cols + c];
  }
};

/// The kernel on each row with one more argument, its sums: it calls sums.add(number, c, term). Chunks of
/// rows are walked side by side, then added up in a fixed order.
template <int count, class Kernel>
void launch_rows_with_sums(const char* label, Workspace& workspace, std::int64_t rows, std::int64_t cols,
                           bool packs, const RowSums<count>& sums, const Kernel& kernel) {
  if (rows <= 0 || cols <= 0) return;
  const Workspace::Scope scope(workspace);
  using Work = SummedChunk<count, Kernel>;
  const BlockShape* shape = nullptr;
  if constexpr (Kernel::column_bytes > 0) {
    if (const int lanes = lanes_of_row(cols); packs && lanes > 0)
      shape = &block_shape<Work>(label, lanes, cols * Kernel::column_bytes);
  }
  const std::int64_t at_once = shape != nullptr ? shape->at_once : Space().concurrency() / Lanes::width;
  const std::int64_t chunk = std::max<std::int64_t>(8, (rows + at_once - 1) / at_once);
  const std::int64_t chunks = (rows + chunk - 1) / chunk;
  float* const partial = workspace.floats(chunks * count * cols);
  auto* const of_chunk = static_cast<std::int32_t*>(workspace.take(4 * chunks));
  const Work work{rows, cols, chunk, sums, partial, of_chunk, kernel};
  if constexpr (Kernel::column_bytes > 0) {
    if (shape != nullptr) launch_blocks(label, *shape, chunks, work);
  }
  if (shape == nullptr) launch_rows(label, chunks, work);
  add_column_sums_to(label, workspace, chunks, count * cols, of_chunk, PlaceOfSum<count>{cols, sums},
                     PartialSum{partial, count * cols});
}

}  // namespace wan::kernels
