#include "tensor/shard.hpp"

#include <algorithm>

#include "base/error.hpp"
#include "base/text.hpp"

namespace wan {
namespace {

void check_range(std::int64_t begin, std::int64_t end, std::int64_t size, const char* what) {
  if (begin >= 0 && begin <= end && end <= size) return;
  throw InternalError(cat("shard: ", what, " [", begin, ", ", end, ") of ", size));
}

/// Elements that one step along `axis` moves over.
std::int64_t stride_of(const Shape& shape, int axis) {
  std::int64_t stride = 1;
  for (int a = axis + 1; a < shape.rank(); ++a) stride *= shape[a];
  return stride;
}

/// Appends boxes of `box` that hold its elements [begin, end), in order. Axes before `axis` are already
/// single indices.
void cut_flat(const Slab& box, int axis, std::int64_t begin, std::int64_t end, std::vector<Slab>& out) {
  if (begin >= end) return;
  const std::int64_t all = stride_of(box.extent, axis - 1);
  if (begin == 0 && end == all) {
    out.push_back(box);
    return;
  }
  const std::int64_t step = stride_of(box.extent, axis);
  const auto rows = [&](std::int64_t first, std::int64_t last) {
    Slab part = box;
    part.start.resize_axis(axis, box.start[axis] + first);
    part.extent.resize_axis(axis, last - first);
    return part;
  };
  const std::int64_t first = begin / step;
  const std::int64_t last = end / step;
  if (first == last) {
    cut_flat(rows(first, first + 1), axis + 1, begin - first * step, end - first * step, out);
    return;
  }
  std::int64_t middle = first;
  if (begin > first * step) {
    cut_flat(rows(first, first + 1), axis + 1, begin - first * step, step, out);
    ++middle;
  }
  if (middle < last) out.push_back(rows(middle, last));
  if (end > last * step) cut_flat(rows(last, last + 1), axis + 1, 0, end - last * step, out);
}

}  // namespace

std::int64_t part_begin(std::int64_t count, std::int64_t part, std::int64_t parts) {
  return count / parts * part + count % parts * part / parts;
}

ShardSpec ShardSpec::whole(const Shape& global) {
  ShardSpec spec;
  spec.global_ = global;
  spec.elements_ = global.elements();
  if (spec.elements_ == 0) return spec;
  Slab slab;
  for (int axis = 0; axis < global.rank(); ++axis) slab.start.append(0);
  slab.extent = global;
  spec.slabs_.push_back(slab);
  return spec;
}

ShardSpec ShardSpec::axis_range(const Shape& global, int axis, std::int64_t begin, std::int64_t end) {
  if (axis < 0 || axis >= global.rank()) {
    throw InternalError(cat("shard: axis ", axis, " of a tensor of shape ", global.text()));
  }
  check_range(begin, end, global[axis], "axis range");
  ShardSpec spec = whole(global);
  if (spec.elements_ == 0) return spec;
  spec.elements_ = spec.elements_ / global[axis] * (end - begin);
  if (begin == end) {
    spec.slabs_.clear();
    return spec;
  }
  spec.slabs_[0].start.resize_axis(axis, begin);
  spec.slabs_[0].extent.resize_axis(axis, end - begin);
  return spec;
}

ShardSpec ShardSpec::axis_part(const Shape& global, int axis, std::int64_t part, std::int64_t parts) {
  check_range(part, part + 1, parts, "part");
  const std::int64_t size = axis >= 0 && axis < global.rank() ? global[axis] : 0;
  return axis_range(global, axis, part_begin(size, part, parts), part_begin(size, part + 1, parts));
}

ShardSpec ShardSpec::flat_range(std::int64_t begin, std::int64_t end) const {
  check_range(begin, end, elements_, "flat range");
  ShardSpec spec;
  spec.global_ = global_;
  spec.elements_ = end - begin;
  for (const Slab& slab : slabs_) {
    const std::int64_t size = slab.extent.elements();
    const std::int64_t from = std::clamp<std::int64_t>(begin - slab.local, 0, size);
    const std::int64_t to = std::clamp<std::int64_t>(end - slab.local, 0, size);
    cut_flat(slab, 0, from, to, spec.slabs_);
  }
  std::int64_t local = 0;
  for (Slab& slab : spec.slabs_) {
    slab.local = local;
    local += slab.extent.elements();
  }
  return spec;
}

ShardSpec ShardSpec::flat_part(std::int64_t part, std::int64_t parts) const {
  check_range(part, part + 1, parts, "part");
  return flat_range(part_begin(elements_, part, parts), part_begin(elements_, part + 1, parts));
}

void ShardSpec::visit_runs(const VisitRun& visit) const {
  for (const Slab& slab : slabs_) {
    // Axes from `inner` on are whole, so a run covers them and the range of the axis before.
    int inner = global_.rank();
    while (inner > 0 && slab.extent[inner - 1] == global_[inner - 1]) --inner;
    const int axis = std::max(inner - 1, 0);
    const std::int64_t run = global_.rank() == 0 ? 1 : slab.extent[axis] * stride_of(global_, axis);
    const std::int64_t runs = slab.extent.elements() / run;
    for (std::int64_t r = 0; r < runs; ++r) {
      std::int64_t global = 0;
      std::int64_t rest = r;
      for (int a = global_.rank() - 1; a >= 0; --a) {
        std::int64_t index = slab.start[a];
        if (a < axis) {
          index += rest % slab.extent[a];
          rest /= slab.extent[a];
        }
        global += index * stride_of(global_, a);
      }
      visit(global, slab.local + r * run, run);
    }
  }
}

std::string ShardSpec::text() const {
  std::string out = global_.text() + ":";
  for (const Slab& slab : slabs_) out += cat(" ", slab.start.text(), "+", slab.extent.text());
  return out;
}

}  // namespace wan
