#include "weights/hdf5/boxes.hpp"

#include <algorithm>

namespace wan::hdf5 {
namespace {

Shape filled(int rank, std::int64_t value) {
  Shape out;
  for (int axis = 0; axis < rank; ++axis) out.append(value);
  return out;
}

/// Elements of one step along `axis`.
std::int64_t stride(const Shape& shape, int axis) {
  std::int64_t elements = 1;
  for (int faster = axis + 1; faster < shape.rank(); ++faster) elements *= shape[faster];
  return elements;
}

}  // namespace

void cut_box(const Shape& start, const Shape& extents, std::int64_t max_elements, const VisitBox& visit) {
  const std::int64_t total = extents.elements();
  if (total == 0) return;
  if (total <= max_elements) return visit(start, extents, 0);
  // The first axis whose single step fits is cut into runs; the axes before it are walked one by one.
  int axis = 0;
  while (stride(extents, axis) > max_elements) ++axis;
  const std::int64_t step = stride(extents, axis);
  const std::int64_t run = std::max<std::int64_t>(1, max_elements / step);
  const std::int64_t walks = total / (step * extents[axis]);
  Shape at = start;
  Shape part = extents;
  for (int slower = 0; slower < axis; ++slower) part.resize_axis(slower, 1);
  for (std::int64_t walk = 0; walk < walks; ++walk) {
    std::int64_t rest = walk;
    for (int slower = axis - 1; slower >= 0; --slower) {
      at.resize_axis(slower, start[slower] + rest % extents[slower]);
      rest /= extents[slower];
    }
    for (std::int64_t from = 0; from < extents[axis]; from += run) {
      at.resize_axis(axis, start[axis] + from);
      part.resize_axis(axis, std::min(run, extents[axis] - from));
      visit(at, part, (walk * extents[axis] + from) * step);
    }
  }
}

void cut_range(const Shape& array, std::int64_t first, std::int64_t count, const VisitBox& visit) {
  const int rank = array.rank();
  std::int64_t done = 0;
  while (done < count) {
    const std::int64_t at = first + done;
    // The slowest axis on which a whole step begins here and fits; the fastest one always does.
    int axis = 0;
    while (axis < rank - 1 && (at % stride(array, axis) != 0 || count - done < stride(array, axis))) ++axis;
    const std::int64_t step = rank == 0 ? 1 : stride(array, axis);
    Shape start = filled(rank, 0);
    Shape extents = filled(rank, 1);
    std::int64_t place = at;
    for (int i = rank - 1; i >= 0; --i) {
      start.resize_axis(i, place % array[i]);
      place /= array[i];
      if (i > axis) extents.resize_axis(i, array[i]);
    }
    std::int64_t steps = 1;
    if (rank > 0) {
      steps = std::min((count - done) / step, array[axis] - start[axis]);
      extents.resize_axis(axis, steps);
    }
    visit(start, extents, done);
    done += steps * step;
  }
}

}  // namespace wan::hdf5
