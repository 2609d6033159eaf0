#include "tensor/shard.hpp"

#include <gtest/gtest.h>

#include <random>
#include <vector>

#include "base/error.hpp"

namespace wan {
namespace {

class Random {
 public:
  explicit Random(std::uint64_t seed) : engine_(seed) {}
  /// In [low, high].
  std::int64_t pick(std::int64_t low, std::int64_t high) {
    return std::uniform_int_distribution<std::int64_t>(low, high)(engine_);
  }
  Shape shape() {
    Shape shape;
    const auto rank = pick(0, 5);
    for (std::int64_t a = 0; a < rank; ++a) shape.append(pick(0, 9) == 0 ? 0 : pick(1, 6));
    return shape;
  }

 private:
  std::mt19937_64 engine_;
};

/// Counts each element that the runs and, apart from them, the boxes of a shard name; the two must agree, and
/// local indices must be 0, 1, 2, … in order.
void cover(const ShardSpec& shard, std::vector<int>& times) {
  std::int64_t next = 0;
  shard.visit_runs([&](std::int64_t global, std::int64_t local, std::int64_t count) {
    ASSERT_EQ(local, next);
    ASSERT_GT(count, 0);
    next += count;
    for (std::int64_t i = 0; i < count; ++i) ++times.at(static_cast<std::size_t>(global + i));
  });
  EXPECT_EQ(next, shard.elements()) << shard.text();
  std::int64_t boxed = 0;
  for (const Slab& slab : shard.slabs()) {
    EXPECT_EQ(slab.local, boxed);
    boxed += slab.extent.elements();
    for (int axis = 0; axis < shard.global().rank(); ++axis) {
      EXPECT_GE(slab.start[axis], 0);
      EXPECT_GE(slab.extent[axis], 1);
      EXPECT_LE(slab.start[axis] + slab.extent[axis], shard.global()[axis]);
    }
  }
  EXPECT_EQ(boxed, shard.elements());
}

TEST(shard, any_split_covers_each_element_once) {
  Random random(1);
  for (int round = 0; round < 2000; ++round) {
    const Shape global = random.shape();
    std::vector<int> times(static_cast<std::size_t>(global.elements()), 0);
    const std::int64_t tp = global.rank() == 0 ? 1 : random.pick(1, 4);
    const std::int64_t dp = random.pick(1, 5);
    const int axis = static_cast<int>(random.pick(0, std::max(0, global.rank() - 1)));
    for (std::int64_t t = 0; t < tp; ++t) {
      const ShardSpec part = tp == 1 ? ShardSpec::whole(global) : ShardSpec::axis_part(global, axis, t, tp);
      for (std::int64_t d = 0; d < dp; ++d) {
        const ShardSpec shard = part.flat_part(d, dp);
        cover(shard, times);
        EXPECT_LE(static_cast<int>(shard.slabs().size()), std::max(1, 2 * global.rank() - 1)) << shard.text();
      }
    }
    for (const int each : times) ASSERT_EQ(each, 1);
  }
}

TEST(shard, a_flat_range_is_the_same_elements_in_the_same_order) {
  Random random(2);
  for (int round = 0; round < 1000; ++round) {
    const Shape global = random.shape();
    ShardSpec outer = ShardSpec::whole(global);
    for (int depth = 0; depth < 3; ++depth) {
      std::vector<std::int64_t> places;
      outer.visit_runs([&](std::int64_t at, std::int64_t, std::int64_t count) {
        for (std::int64_t i = 0; i < count; ++i) places.push_back(at + i);
      });
      const std::int64_t begin = random.pick(0, outer.elements());
      const std::int64_t end = random.pick(begin, outer.elements());
      const ShardSpec inner = outer.flat_range(begin, end);
      inner.visit_runs([&](std::int64_t at, std::int64_t local, std::int64_t count) {
        for (std::int64_t i = 0; i < count; ++i) {
          ASSERT_EQ(at + i, places.at(static_cast<std::size_t>(begin + local + i)));
        }
      });
      outer = inner;
    }
  }
}

TEST(shard, rows_of_a_matrix_are_one_run) {
  int runs = 0;
  ShardSpec::axis_range({8, 5}, 0, 2, 6).visit_runs([&](std::int64_t at, std::int64_t, std::int64_t count) {
    EXPECT_EQ(at, 10);
    EXPECT_EQ(count, 20);
    ++runs;
  });
  EXPECT_EQ(runs, 1);
  EXPECT_EQ(ShardSpec::axis_range({8, 5}, 1, 2, 4).text(), "[8, 5]: [0, 2]+[8, 2]");
}

TEST(shard, nonsense_is_refused) {
  EXPECT_THROW((void)ShardSpec::axis_range({4}, 1, 0, 1), InternalError);
  EXPECT_THROW((void)ShardSpec::axis_range({4}, 0, 2, 5), InternalError);
  EXPECT_THROW((void)ShardSpec::axis_part({4}, 0, 2, 2), InternalError);
  EXPECT_THROW((void)ShardSpec::whole({4}).flat_range(3, 2), InternalError);
}

TEST(shard, parts_of_huge_counts_do_not_overflow) {
  const std::int64_t huge = std::int64_t{1} << 60;
  EXPECT_EQ(part_begin(huge, 16384, 16384), huge);
  for (std::int64_t part = 0; part < 7; ++part) {
    const std::int64_t size = part_begin(huge + 5, part + 1, 7) - part_begin(huge + 5, part, 7);
    EXPECT_GE(size, (huge + 5) / 7);
    EXPECT_LE(size, (huge + 5) / 7 + 1);
  }
}

}  // namespace
}  // namespace wan
