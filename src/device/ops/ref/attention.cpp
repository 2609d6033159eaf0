#include <cmath>
#include <limits>

#include "device/ops/ref/dense.hpp"
#include "device/ops/ref/ref_ops.hpp"

namespace wan {

using ref::Dense;

namespace {

/// What one head of one segment needs to know.
struct Part {
  std::int64_t query_begin, query_end, key_begin, key_end;
  std::int64_t column;  ///< first column of the head
  std::int64_t head_dim;
  double scale;
  double last_key_bonus;  ///< ln(last_key_count)

  /// The head's part of a row of x times that of a row of y.
  [[nodiscard]] double dot(const Dense& x, std::int64_t i, const Dense& y, std::int64_t j) const {
    double sum = 0;
    for (std::int64_t d = column; d < column + head_dim; ++d) sum += x(i, d) * y(j, d);
    return sum;
  }
  [[nodiscard]] double logit(const Dense& q, const Dense& k, std::int64_t i, std::int64_t j) const {
    return scale * dot(q, i, k, j) + (j + 1 == key_end ? last_key_bonus : 0);
  }
};

/// Calls body(head, part) for each head of each segment.
template <class Body>
void for_each_part(const AttentionSegments& segments, std::int64_t columns, std::int64_t head_dim,
                   double scale, const Body& body) {
  for (std::size_t s = 0; s + 1 < segments.query.size(); ++s) {
    const double times =
        segments.last_key_count.empty() ? 1 : static_cast<double>(segments.last_key_count[s]);
    for (std::int64_t head = 0; head < columns / head_dim; ++head) {
      body(head, Part{segments.query[s], segments.query[s + 1], segments.key[s], segments.key[s + 1],
                      head * head_dim, head_dim, scale, std::log(times)});
    }
  }
}

}  // namespace

void RefOps::run(const AttentionForward& a) {
  const Dense q = ref::read(a.q);
  const Dense k = ref::read(a.k);
  const Dense v = ref::read(a.v);
  Dense o(q.rows, q.cols);
  Dense lse(q.cols / a.head_dim, q.rows);
  for (double& value : lse.value) value = -std::numeric_limits<double>::infinity();
  for_each_part(*a.segments, q.cols, a.head_dim, static_cast<double>(a.scale),
                [&](std::int64_t head, const Part& part) {
                  for (std::int64_t i = part.query_begin; i < part.query_end; ++i) {
                    if (part.key_begin == part.key_end) continue;
                    double highest = -std::numeric_limits<double>::infinity();
                    for (std::int64_t j = part.key_begin; j < part.key_end; ++j) {
                      highest = std::max(highest, part.logit(q, k, i, j));
                    }
                    double sum = 0;
                    for (std::int64_t j = part.key_begin; j < part.key_end; ++j) {
                      const double weight = std::exp(part.logit(q, k, i, j) - highest);
                      sum += weight;
                      for (std::int64_t d = 0; d < part.head_dim; ++d)
                        o(i, part.column + d) += weight * v(j, part.column + d);
                    }
                    for (std::int64_t d = 0; d < part.head_dim; ++d) o(i, part.column + d) /= sum;
                    lse(head, i) = highest + std::log(sum);
                  }
                });
  ref::write(a.o, o);
  if (a.lse) ref::write(a.lse, lse);
}

void RefOps::run(const AttentionBackward& a) {
  const Dense q = ref::read(a.q);
  const Dense k = ref::read(a.k);
  const Dense v = ref::read(a.v);
  const Dense o = ref::read(a.o);
  const Dense dout = ref::read(a.dout);
  const Dense lse = ref::read(a.lse.reshaped({q.cols / a.head_dim, q.rows}));
  Dense dq(q.rows, q.cols);
  Dense dk(k.rows, k.cols);
  Dense dv(v.rows, v.cols);
  for_each_part(*a.segments, q.cols, a.head_dim, static_cast<double>(a.scale),
                [&](std::int64_t head, const Part& part) {
                  const auto probability = [&](std::int64_t i, std::int64_t j) {
                    return std::exp(part.logit(q, k, i, j) - lse(head, i));
                  };
                  for (std::int64_t i = part.query_begin; i < part.query_end; ++i) {
                    double row_sum = 0;
                    if (a.partial_keys) {
                      row_sum = part.dot(dout, i, o, i);
                    } else {
                      for (std::int64_t j = part.key_begin; j < part.key_end; ++j)
                        row_sum += probability(i, j) * part.dot(dout, i, v, j);
                    }
                    for (std::int64_t j = part.key_begin; j < part.key_end; ++j) {
                      const double p = probability(i, j);
                      const double ds = part.scale * p * (part.dot(dout, i, v, j) - row_sum);
                      for (std::int64_t d = part.column; d < part.column + part.head_dim; ++d) {
                        dv(j, d) += p * dout(i, d);
                        dq(i, d) += ds * k(j, d);
                        dk(j, d) += ds * q(i, d);
                      }
                    }
                  }
                });
  ref::write(a.dq, dq);
  ref::write(a.dk, dk);
  ref::write(a.dv, dv);
}

}  // namespace wan
