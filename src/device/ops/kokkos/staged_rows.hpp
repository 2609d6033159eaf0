#pragma once
#include "device/ops/kokkos/pack_lanes.hpp"
#include "device/ops/kokkos/shared_memory.hpp"

// Rows on their way to a GPU's shared memory while lanes work on others, so that the memory is busy
// meanwhile, no registers are taken for what is not there yet, and a row can be read several times. A lane
// copies and reads its own packs alone, which needs no barrier.
namespace wan::kernels {

/// A row in shared memory, of which a lane knows its own packs.
template <class T>
struct StagedRow {
  using Stored = StoredPack<T, pack_width>;
  static constexpr int pieces = static_cast<int>(sizeof(Stored) / sizeof(Piece));

  SharedAddress at;

  KOKKOS_FORCEINLINE_FUNCTION SharedAddress place(Columns<pack_width> c) const {
    return at + static_cast<std::uint32_t>(c.first) * static_cast<std::uint32_t>(sizeof(T));
  }
  KOKKOS_FORCEINLINE_FUNCTION Stored stored(Columns<pack_width> c) const {
    Piece piece[pieces];
#pragma unroll
    for (int i = 0; i < pieces; ++i) piece[i] = load_shared(place(c) + i * sizeof(Piece));
    Stored out;
    std::memcpy(&out, piece, sizeof out);
    return out;
  }
  KOKKOS_FORCEINLINE_FUNCTION Pack<pack_width> operator()(Columns<pack_width> c) const {
    return wide(stored(c));
  }
  KOKKOS_FORCEINLINE_FUNCTION void put(Columns<pack_width> c, const Stored& stored) const {
    Piece piece[pieces];
    std::memcpy(piece, &stored, sizeof stored);
#pragma unroll
    for (int i = 0; i < pieces; ++i) store_shared(place(c) + i * sizeof(Piece), piece[i]);
  }
};

/// One place for rows, handed out in the order in which a kernel holds them.
class Stage {
 public:
  KOKKOS_FORCEINLINE_FUNCTION explicit Stage(SharedAddress memory) : next_(kept(memory)) {}

 protected:
  template <class T>
  KOKKOS_FORCEINLINE_FUNCTION StagedRow<T> next(std::int64_t count) const {
    const SharedAddress at = next_;
    next_ += static_cast<std::uint32_t>(count) * static_cast<std::uint32_t>(sizeof(T));
    return {at};
  }

 private:
  mutable SharedAddress next_;
};

/// hold() asks for a row.
class RowRequest : public Stage {
 public:
  KOKKOS_FORCEINLINE_FUNCTION RowRequest(const PackLanes& lanes, SharedAddress memory)
      : Stage(memory), lanes_(lanes) {}

  template <class T>
  using Row = Nothing;
  template <class T>
  KOKKOS_FORCEINLINE_FUNCTION Nothing hold(std::int64_t count, const T* row) const {
    const StagedRow<T> to = next<T>(count);
    const T* const from = kept(row);
    lanes_.each(count, [&](Columns<pack_width> c) {
#pragma unroll
      for (int i = 0; i < StagedRow<T>::pieces; ++i)
        copy_to_shared(to.place(c) + i * sizeof(Piece), reinterpret_cast<const Piece*>(from + c.first) + i);
    });
    return {};
  }

 private:
  const PackLanes& lanes_;
};

/// hold() takes what was asked for, in the same order, and leaves it where it lies.
class StagedDelivery : public Stage {
 public:
  KOKKOS_FORCEINLINE_FUNCTION StagedDelivery(const PackLanes&, SharedAddress memory) : Stage(memory) {}

  template <class T>
  using Row = StagedRow<T>;
  template <class T>
  KOKKOS_FORCEINLINE_FUNCTION Row<T> hold(std::int64_t count, const T*) const {
    return next<T>(count);
  }
};

/// As StagedDelivery, into registers.
class HeldDelivery : public Stage {
 public:
  KOKKOS_FORCEINLINE_FUNCTION HeldDelivery(const PackLanes& lanes, SharedAddress memory)
      : Stage(memory), lanes_(lanes) {}

  template <class T>
  using Row = HeldRow<T>;
  template <class T>
  KOKKOS_FORCEINLINE_FUNCTION Row<T> hold(std::int64_t count, const T*) const {
    const StagedRow<T> from = next<T>(count);
    Row<T> out{};
    lanes_.each(count, [&](Columns<pack_width> c) { out.put(c, from.stored(c)); });
    return out;
  }

 private:
  const PackLanes& lanes_;
};

inline constexpr int most_stages = most_requests + 1;

/// Places in shared memory, each for what a kernel holds of one row.
struct Stages {
  int count;
  std::uint32_t bytes;  ///< of one
  SharedAddress memory;

  [[nodiscard]] KOKKOS_FORCEINLINE_FUNCTION SharedAddress operator[](int stage) const {
    return memory + static_cast<std::uint32_t>(stage) * bytes;
  }
};

/// Rows first … last - 1.
struct RowRange {
  std::int64_t first;
  std::int64_t last;
};

/// Part `number` of `rows` rows that are taken `size` at a time.
KOKKOS_FORCEINLINE_FUNCTION RowRange part_of_rows(std::int64_t rows, std::int64_t size, std::int64_t number) {
  const std::int64_t first = number * size;
  return {first, first + size < rows ? first + size : rows};
}

/// What lane `source` of the warp holds.
template <class Value>
KOKKOS_FORCEINLINE_FUNCTION Value from_lane(const Value& value, int source) {
#if defined(__CUDA_ARCH__)
  if constexpr (!std::is_empty_v<Value>) {
    static_assert(sizeof(Value) % sizeof(std::uint32_t) == 0);
    std::uint32_t word[sizeof(Value) / sizeof(std::uint32_t)];
    std::memcpy(word, &value, sizeof value);
#pragma unroll
    for (std::uint32_t& one : word) one = __shfl_sync(0xffffffffU, one, source);
    Value out;
    std::memcpy(&out, word, sizeof out);
    return out;
  }
#endif
  static_cast<void>(source);
  return value;
}

/// The rows that a block walks: in one stage is the row that the kernel works on, in the others are rows
/// under way, the first of them from the start.
template <class Delivery, class Kernel>
class StagedWalk {
 public:
  KOKKOS_FORCEINLINE_FUNCTION StagedWalk(const PackLanes& lanes, const Kernel& kernel, const RowRange& range,
                                         const Stages& stages)
      : lanes_(lanes), kernel_(kernel), range_(range), stages_(stages) {
    for (int stage = 0; stage < stages.count - 1; ++stage) request(range.first + stage, stage);
  }

  /// body(row, rows, scalars) for each row with what the kernel holds of it, as Delivery brings it, and
  /// scalars(row). Each lane of a warp reads the scalars of one row in 32, so that they are waited for once
  /// in as many rows.
  template <class Scalars, class Body>
  KOKKOS_FORCEINLINE_FUNCTION void each(const Scalars& scalars, const Body& body) const {
    const int ahead = stages_.count - 1;
    decltype(scalars(range_.first)) of_lane;
    int stage = 0;
    int turn = 0;
    for (std::int64_t row = range_.first; row < range_.last; ++row) {
      request(row + ahead, stage == 0 ? ahead : stage - 1);
      if (turn == 0) {
        const std::int64_t own = row + lanes_.lane() % 32;
        of_lane = scalars(own < range_.last ? own : row);
      }
      wait_for_request(ahead);
      body(row, kernel_.rows(Delivery(lanes_, stages_[stage]), row), from_lane(of_lane, turn));
      turn = (turn + 1) & 31;
      stage = stage == ahead ? 0 : stage + 1;
    }
  }

 private:
  KOKKOS_FORCEINLINE_FUNCTION void request(std::int64_t row, int stage) const {
    if (row < range_.last) kernel_.rows(RowRequest(lanes_, stages_[stage]), row);
    close_request();
  }

  const PackLanes& lanes_;
  const Kernel& kernel_;
  const RowRange range_;
  const Stages stages_;
};

}  // namespace wan::kernels
