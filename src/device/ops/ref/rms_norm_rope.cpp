#include <cmath>

#include "device/ops/ref/dense.hpp"
#include "device/ops/ref/ref_ops.hpp"

namespace wan {

using ref::Dense;

namespace {

/// Which of a token's three places (frame, row, column) turns pair p of a head with `pairs` pairs.
std::int64_t axis_of_pair(std::int64_t pair, std::int64_t pairs) {
  const std::int64_t spatial = pairs / 3;
  const std::int64_t temporal = pairs - 2 * spatial;
  if (pair < temporal) return 0;
  return pair < temporal + spatial ? 1 : 2;
}

/// Rotates each head of each row by its angles times `direction` (1 or -1); nothing without a table.
void rotate(Dense& x, const RopeTable& rope, std::int64_t head_dim, double direction) {
  if (!rope) return;
  const Dense cosine = ref::read(rope.cosine);
  const Dense sine = ref::read(rope.sine);
  const std::int64_t pairs = head_dim / 2;
  for (std::int64_t n = 0; n < x.rows; ++n) {
    for (std::int64_t c = 0; c < x.cols; c += 2) {
      const std::int64_t pair = c % head_dim / 2;
      const std::int64_t place = rope.position.as<std::int32_t>()[3 * n + axis_of_pair(pair, pairs)];
      const double cos = cosine(place, pair);
      const double sin = direction * sine(place, pair);
      const double even = x(n, c);
      const double odd = x(n, c + 1);
      x(n, c) = even * cos - odd * sin;
      x(n, c + 1) = even * sin + odd * cos;
    }
  }
}

}  // namespace

void RefOps::run(const RmsNormRopeForward& a) {
  const Dense x = ref::read(a.x);
  const Dense weight = ref::read(a.weight);
  const Dense reduced = a.sum_squares ? ref::read(a.sum_squares) : Dense();
  Dense y(x.rows, x.cols);
  Dense rstd(x.rows, 1);
  for (std::int64_t n = 0; n < x.rows; ++n) {
    double sum = a.sum_squares ? reduced[n] : 0;
    for (std::int64_t c = 0; !a.sum_squares && c < x.cols; ++c) sum += x(n, c) * x(n, c);
    rstd[n] = 1 / std::sqrt(sum / static_cast<double>(a.width) + static_cast<double>(a.eps));
    for (std::int64_t c = 0; c < x.cols; ++c) y(n, c) = x(n, c) * rstd[n] * weight[c];
  }
  rotate(y, a.rope, a.head_dim, 1);
  ref::write(a.y, y);
  if (a.rstd) ref::write(a.rstd, rstd);
}

void RefOps::run(const RmsNormRopePairForward& a) {
  run(a.first);
  run(a.second);
}

void RefOps::run(const RmsNormRopePairBackward& a) {
  run(a.first);
  run(a.second);
}

void RefOps::run(const RmsNormSumSquares& a) {
  const Dense x = ref::read(a.x);
  Dense out(x.rows, 1);
  for (std::int64_t n = 0; n < x.rows; ++n) {
    for (std::int64_t c = 0; c < x.cols; ++c) out[n] += x(n, c) * x(n, c);
  }
  ref::write(a.out, out);
}

void RefOps::run(const RmsNormRopeBackward& a) {
  Dense dy = ref::read(a.dy);
  rotate(dy, a.rope, a.head_dim, -1);
  const Dense x = ref::read(a.x);
  const Dense weight = ref::read(a.weight);
  const Dense rstd = ref::read(a.rstd);
  const Dense reduced = a.dot ? ref::read(a.dot) : Dense();
  Dense dx(x.rows, x.cols);
  Dense dweight(weight.rows, weight.cols);
  for (std::int64_t n = 0; n < x.rows; ++n) {
    double dot = a.dot ? reduced[n] : 0;
    for (std::int64_t c = 0; !a.dot && c < x.cols; ++c) dot += dy(n, c) * weight[c] * x(n, c);
    for (std::int64_t c = 0; c < x.cols; ++c) {
      dx(n, c) =
          rstd[n] * (dy(n, c) * weight[c] - x(n, c) * rstd[n] * rstd[n] * dot / static_cast<double>(a.width));
      dweight[c] += dy(n, c) * x(n, c) * rstd[n];
    }
  }
  ref::write(a.dx, dx);
  if (a.dweight) ref::add(a.dweight, dweight);
}

void RefOps::run(const RmsNormRopeDot& a) {
  Dense dy = ref::read(a.dy);
  rotate(dy, a.rope, a.head_dim, -1);
  const Dense x = ref::read(a.x);
  const Dense weight = ref::read(a.weight);
  Dense out(x.rows, 1);
  for (std::int64_t n = 0; n < x.rows; ++n) {
    for (std::int64_t c = 0; c < x.cols; ++c) out[n] += dy(n, c) * weight[c] * x(n, c);
  }
  ref::write(a.out, out);
}

}  // namespace wan
