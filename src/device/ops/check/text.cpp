#include "device/ops/check/check_text.hpp"

namespace wan {
namespace {

void expect_offsets(const Expect& expect, const AttentionSegments* segments, std::int64_t tokens) {
  expect.rule(segments != nullptr && segments->query.size() >= 2, "segments", "none", "at least one");
  const auto& offset = segments->query;
  expect.rule(offset == segments->key, "segments", "key offsets of their own", "the queries' offsets");
  expect.rule(segments->last_key_count.empty(), "segments", "a last_key_count", "none");
  expect.equal("first offset", offset.front(), 0);
  expect.equal("last offset", offset.back(), tokens);
  for (std::size_t s = 1; s < offset.size(); ++s) expect.at_least("offset", offset[s], offset[s - 1]);
}

}  // namespace

void check(const GatherRows& a, FloatStorage storage) {
  const Expect expect("gather_rows", storage);
  expect.given("table", a.table);
  expect.storage("table", a.table);
  expect.given("id", a.id);
  expect.dtype("id", a.id, DType::i32);
  expect.flat("id", a.id, a.id.elements());
  expect.matrix("y", a.y, a.id.elements(), a.table.cols());
  expect.same("y", a.y, "table", a.table);
}

void check(const BiasedAttention& a, FloatStorage storage) {
  const Expect expect("biased_attention", storage);
  expect.given("q", a.q);
  expect.storage("q", a.q);
  expect.at_least("head_dim", a.head_dim, 1);
  expect.equal("columns of q beyond whole heads", a.q.cols() % a.head_dim, 0);
  for (const auto& [name, tensor] : {std::pair{"k", a.k}, std::pair{"v", a.v}, std::pair{"o", a.o}}) {
    expect.matrix(name, tensor, a.q.rows(), a.q.cols());
    expect.same(name, tensor, "q", a.q);
  }
  expect_offsets(expect, a.segments, a.q.rows());
  expect.at_least("buckets", a.buckets.count, 4);
  expect.at_most("buckets", a.buckets.count, RelativeBuckets::most);
  expect.at_least("max_distance", a.buckets.max_distance, a.buckets.count / 4 + 1);
  expect.matrix("bias", a.bias, a.buckets.count, a.q.cols() / a.head_dim);
  expect.fp32_or_same("bias", a.bias, "q", a.q);
}

void check(const GatedGelu& a, FloatStorage storage) {
  const Expect expect("gated_gelu", storage);
  expect.given("gate", a.gate);
  expect.storage("gate", a.gate);
  expect.matrix("value", a.value, a.gate.rows(), a.gate.cols());
  expect.matrix("y", a.y, a.gate.rows(), a.gate.cols());
  expect.same("value", a.value, "gate", a.gate);
  expect.same("y", a.y, "gate", a.gate);
}

}  // namespace wan
