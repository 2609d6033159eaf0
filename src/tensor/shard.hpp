#pragma once
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "tensor/shape.hpp"

namespace wan {

/// A box of a global tensor, and where it lies in a local buffer: dense, row-major, from element `local` on.
struct Slab {
  Shape start;
  Shape extent;
  std::int64_t local = 0;
};

/// Which elements of a global tensor a local buffer holds, as boxes in the order in which they lie in it. One
/// value serves tensor parallelism (a range of an axis), ZeRO-1 and FSDP (a range of the row-major elements,
/// at most 2·rank - 1 boxes), and both together (a range of another shard's buffer).
class ShardSpec {
 public:
  /// Nothing of a tensor without axes.
  ShardSpec() = default;

  /// All of it.
  [[nodiscard]] static ShardSpec whole(const Shape& global);
  /// Indices [begin, end) of one axis, all of the others.
  [[nodiscard]] static ShardSpec axis_range(const Shape& global, int axis, std::int64_t begin,
                                            std::int64_t end);
  /// Part `part` of `parts` of an axis; sizes differ by at most one.
  [[nodiscard]] static ShardSpec axis_part(const Shape& global, int axis, std::int64_t part,
                                           std::int64_t parts);

  /// Elements [begin, end) of this shard's buffer, as a shard of the same global tensor whose buffer starts
  /// there.
  [[nodiscard]] ShardSpec flat_range(std::int64_t begin, std::int64_t end) const;
  /// Part `part` of `parts` of this shard's buffer; sizes differ by at most one.
  [[nodiscard]] ShardSpec flat_part(std::int64_t part, std::int64_t parts) const;

  [[nodiscard]] const Shape& global() const { return global_; }
  [[nodiscard]] const std::vector<Slab>& slabs() const { return slabs_; }
  /// Elements of the local buffer.
  [[nodiscard]] std::int64_t elements() const { return elements_; }

  /// Calls visit(global row-major index, index in the local buffer, count) for runs of elements that are
  /// contiguous in both, in the order of the buffer.
  using VisitRun = std::function<void(std::int64_t global, std::int64_t local, std::int64_t count)>;
  void visit_runs(const VisitRun& visit) const;

  /// "[4, 6]: [0, 2]+[4, 3]" for logs: global shape, then start + extent of each box.
  [[nodiscard]] std::string text() const;

 private:
  Shape global_;
  std::vector<Slab> slabs_;
  std::int64_t elements_ = 0;
};

/// Where part `part` of `parts` of `count` things begins; part + 1 gives its end. Sizes differ by at most
/// one.
[[nodiscard]] std::int64_t part_begin(std::int64_t count, std::int64_t part, std::int64_t parts);

}  // namespace wan
