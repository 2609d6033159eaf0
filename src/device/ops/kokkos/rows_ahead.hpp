#pragma once
#include "device/ops/kokkos/block_lanes.hpp"

// Rows of which a block has several under way to its shared memory while it works on one, so that memory is
// busy through barriers and arithmetic and no registers are taken for what is not there yet. Each lane copies
// and reads its own columns alone, which needs no barrier.
namespace wan::kernels {

/// A lane's place in one stage: 16 bytes for each piece of its columns, beside the other lanes' same piece.
class Stage {
 public:
  KOKKOS_FORCEINLINE_FUNCTION Stage(const BlockLanes& lanes, char* memory)
      : lanes_(lanes), next_(memory + 16 * lanes.lane()) {}

 protected:
  KOKKOS_FORCEINLINE_FUNCTION char* next() const {
    char* const at = next_;
    next_ += 16 * lanes_.size();
    return at;
  }
  [[nodiscard]] KOKKOS_FORCEINLINE_FUNCTION std::int64_t first(int slot) const {
    return lanes_.own(slot).first;
  }

 private:
  const BlockLanes& lanes_;
  mutable char* next_;
};

/// hold() asks for a row.
class RowRequest : public Stage {
 public:
  using Stage::Stage;

  template <class T>
  using Row = Nothing;
  template <class T>
  KOKKOS_FORCEINLINE_FUNCTION Nothing hold(std::int64_t count, const T* row) const {
    constexpr int in_piece = 16 / static_cast<int>(sizeof(T));
    constexpr int pieces = pack_width / in_piece;
#pragma unroll
    for (int piece = 0; piece < lane_packs * pieces; ++piece) {
      char* const to = next();
#if defined(__CUDA_ARCH__)
      const std::int64_t column = first(piece / pieces);
      if (row == nullptr || column >= count) continue;
      const auto shared = static_cast<unsigned>(__cvta_generic_to_shared(to));
      asm volatile("cp.async.cg.shared.global [%0], [%1], 16;" ::"r"(shared),
                   "l"(row + column + piece % pieces * in_piece)
                   : "memory");
#else
      static_cast<void>(to);
      static_cast<void>(count);
      static_cast<void>(row);
#endif
    }
    return {};
  }
};

/// hold() takes what was asked for, in the same order.
class RowDelivery : public Stage {
 public:
  using Stage::Stage;

  template <class T>
  using Row = HeldRow<T>;
  template <class T>
  KOKKOS_FORCEINLINE_FUNCTION Row<T> hold(std::int64_t count, const T* row) const {
    constexpr int in_piece = 16 / static_cast<int>(sizeof(T));
    constexpr int pieces = pack_width / in_piece;
    Row<T> out{};
#pragma unroll
    for (int piece = 0; piece < lane_packs * pieces; ++piece) {
      const auto* const from = reinterpret_cast<const StoredPack<T, in_piece>*>(next());
      if (row == nullptr || first(piece / pieces) >= count) continue;
      const StoredPack<T, in_piece> part = *from;
#pragma unroll
      for (int i = 0; i < in_piece; ++i)
        out.pack[piece / pieces].value[piece % pieces * in_piece + i] = part.value[i];
    }
    return out;
  }
};

/// Requests made since the last call belong together.
KOKKOS_FORCEINLINE_FUNCTION void close_request() {
#if defined(__CUDA_ARCH__)
  asm volatile("cp.async.commit_group;" ::: "memory");
#endif
}

/// The most stages that wait_for_request knows.
inline constexpr int most_ahead = 4;

/// Waits until at most `later` requests are still under way.
KOKKOS_FORCEINLINE_FUNCTION void wait_for_request(int later) {
#if defined(__CUDA_ARCH__)
  if (later == 0) {
    asm volatile("cp.async.wait_group 0;" ::: "memory");
  } else if (later == 1) {
    asm volatile("cp.async.wait_group 1;" ::: "memory");
  } else if (later == 2) {
    asm volatile("cp.async.wait_group 2;" ::: "memory");
  } else {
    asm volatile("cp.async.wait_group 3;" ::: "memory");
  }
#else
  static_cast<void>(later);
#endif
}

/// body(row, rows, scalars) for each row of [first, last) with what the kernel holds of it; `ahead` rows are
/// under way meanwhile, to `memory` of ahead * Kernel::row_bytes a lane.
template <class Kernel, class Body>
KOKKOS_FORCEINLINE_FUNCTION void walk_ahead(const BlockLanes& lanes, const Kernel& kernel, std::int64_t first,
                                            std::int64_t last, int ahead, char* memory, const Body& body) {
  const int stage_bytes = Kernel::row_bytes * lanes.size();
  const auto request = [&](std::int64_t row, int stage) {
    if (row < last) kernel.rows(RowRequest(lanes, memory + stage * stage_bytes), row);
    close_request();
  };
  for (int stage = 0; stage < ahead; ++stage) request(first + stage, stage);
  auto next_scalars = kernel.scalars(lanes, first);
  int stage = 0;
  for (std::int64_t row = first; row < last; ++row) {
    const auto scalars = next_scalars;
    if (row + 1 < last) next_scalars = kernel.scalars(lanes, row + 1);
    wait_for_request(ahead - 1);
    const auto rows = kernel.rows(RowDelivery(lanes, memory + stage * stage_bytes), row);
    request(row + ahead, stage);
    stage = stage + 1 == ahead ? 0 : stage + 1;
    body(row, rows, scalars);
  }
}

}  // namespace wan::kernels
