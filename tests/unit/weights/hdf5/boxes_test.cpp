#include "weights/hdf5/boxes.hpp"

#include <gtest/gtest.h>

#include <random>
#include <vector>

namespace wan::hdf5 {
namespace {

Shape random_shape(std::mt19937& random) {
  Shape shape;
  const int rank = static_cast<int>(random() % 5);
  for (int axis = 0; axis < rank; ++axis) shape.append(1 + static_cast<std::int64_t>(random() % 5));
  return shape;
}

/// Row-major places of a box's elements in `array`.
std::vector<std::int64_t> places(const Shape& array, const Shape& start, const Shape& extents) {
  std::vector<std::int64_t> out;
  for (std::int64_t i = 0; i < extents.elements(); ++i) {
    std::int64_t rest = i;
    std::int64_t place = 0;
    std::int64_t stride = 1;
    for (int axis = array.rank() - 1; axis >= 0; --axis) {
      place += (start[axis] + rest % extents[axis]) * stride;
      rest /= extents[axis];
      stride *= array[axis];
    }
    out.push_back(place);
  }
  return out;
}

TEST(Boxes, RangeIsCoveredOnceInOrder) {
  std::mt19937 random(1);
  for (int round = 0; round < 2000; ++round) {
    const Shape array = random_shape(random);
    const auto total = static_cast<std::uint64_t>(array.elements());
    const auto first = static_cast<std::int64_t>(random() % (total + 1));
    const auto count = static_cast<std::int64_t>(random() % (total + 1 - static_cast<std::uint64_t>(first)));
    std::int64_t next = first;
    int boxes = 0;
    cut_range(array, first, count, [&](const Shape& start, const Shape& extents, std::int64_t before) {
      ASSERT_EQ(before, next - first);
      for (const std::int64_t place : places(array, start, extents)) ASSERT_EQ(place, next++);
      ++boxes;
    });
    ASSERT_EQ(next, first + count) << array.text();
    ASSERT_LE(boxes, std::max(1, 2 * array.rank() - 1));
  }
}

TEST(Boxes, BoxIsCutIntoSmallOnesInOrder) {
  std::mt19937 random(2);
  for (int round = 0; round < 2000; ++round) {
    const Shape array = random_shape(random);
    Shape start;
    Shape extents;
    for (int axis = 0; axis < array.rank(); ++axis) {
      const auto from = static_cast<std::int64_t>(random() % static_cast<std::uint64_t>(array[axis]));
      start.append(from);
      extents.append(1 +
                     static_cast<std::int64_t>(random() % static_cast<std::uint64_t>(array[axis] - from)));
    }
    const auto limit = static_cast<std::int64_t>(1 + random() % 30);
    const std::vector<std::int64_t> expected = places(array, start, extents);
    std::vector<std::int64_t> seen;
    cut_box(start, extents, limit, [&](const Shape& at, const Shape& part, std::int64_t before) {
      ASSERT_LE(part.elements(), limit);
      ASSERT_EQ(before, static_cast<std::int64_t>(seen.size()));
      for (const std::int64_t place : places(array, at, part)) seen.push_back(place);
    });
    ASSERT_EQ(seen, expected);
  }
}

}  // namespace
}  // namespace wan::hdf5
