#include "base/text.hpp"
#include "device/ops/check/check.hpp"

namespace wan {
namespace {

/// `offsets` must begin at 0 or later, never decrease and end at `rows` or before.
void offsets(const Expect& expect, const char* name, const std::vector<std::int64_t>& values,
             std::int64_t rows) {
  expect.at_least(name, static_cast<std::int64_t>(values.size()), 1);
  std::int64_t before = 0;
  for (const std::int64_t value : values) {
    if (value < before) expect.fail(name, cat(value, " after ", before), "offsets that never decrease");
    before = value;
  }
  if (before > rows) expect.fail(name, cat("end at ", before), cat("at most ", rows, " rows"));
}

void segments(const Expect& expect, const AttentionSegments* given, std::int64_t queries, std::int64_t keys) {
  expect.rule(given != nullptr, "segments", "none", "one list");
  offsets(expect, "segments.query", given->query, queries);
  offsets(expect, "segments.key", given->key, keys);
  const auto count = static_cast<std::int64_t>(given->query.size()) - 1;
  expect.equal("segments.key size", static_cast<std::int64_t>(given->key.size()) - 1, count);
  if (given->last_key_count.empty()) return;
  expect.equal("segments.last_key_count size", static_cast<std::int64_t>(given->last_key_count.size()),
               count);
  for (const std::int64_t times : given->last_key_count) expect.at_least("last_key_count", times, 1);
}

void heads(const Expect& expect, std::int64_t head_dim, const Tensor& q) {
  expect.at_least("head_dim", head_dim, 1);
  expect.equal("columns % head_dim", q.cols() % head_dim, 0);
}

/// What forward and backward share: q, k, v and o.
template <class Arguments>
void operands(const Expect& expect, const Arguments& a) {
  expect.given("q", a.q);
  expect.given("k", a.k);
  expect.storage("q", a.q);
  heads(expect, a.head_dim, a.q);
  expect.matrix("k", a.k, a.k.rows(), a.q.cols());
  expect.same("k", a.k, "q", a.q);
  expect.matrix("v", a.v, a.k.rows(), a.q.cols());
  expect.same("v", a.v, "q", a.q);
  expect.matrix("o", a.o, a.q.rows(), a.q.cols());
  expect.fp32_or_same("o", a.o, "q", a.q);
}

}  // namespace

void check(const AttentionForward& a, FloatStorage storage) {
  const Expect expect("attention_forward", storage);
  operands(expect, a);
  segments(expect, a.segments, a.q.rows(), a.k.rows());
  if (a.lse) {
    expect.flat("lse", a.lse, a.q.cols() / a.head_dim * a.q.rows());
    expect.fp32("lse", a.lse);
  }
}

void check(const AttentionBackward& a, FloatStorage storage) {
  const Expect expect("attention_backward", storage);
  operands(expect, a);
  expect.matrix("dout", a.dout, a.q.rows(), a.q.cols());
  expect.fp32_or_same("dout", a.dout, "q", a.q);
  expect.flat("lse", a.lse, a.q.cols() / a.head_dim * a.q.rows());
  expect.fp32("lse", a.lse);
  segments(expect, a.segments, a.q.rows(), a.k.rows());
  expect.matrix("dq", a.dq, a.q.rows(), a.q.cols());
  expect.same("dq", a.dq, "q", a.q);
  expect.matrix("dk", a.dk, a.k.rows(), a.k.cols());
  expect.same("dk", a.dk, "k", a.k);
  expect.matrix("dv", a.dv, a.v.rows(), a.v.cols());
  expect.same("dv", a.dv, "v", a.v);
}

}  // namespace wan
