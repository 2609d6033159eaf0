#include <cmath>

#include "op_case.hpp"

namespace wan::test {
namespace {

/// Random segments over `queries` and `keys`, possibly empty, possibly not covering all rows.
AttentionSegments some_segments(Case& c, std::int64_t queries, std::int64_t keys) {
  AttentionSegments out;
  const std::int64_t count = c.size(0, 4);
  const auto offsets = [&](std::int64_t rows) {
    std::vector<std::int64_t> cuts;
    for (std::int64_t s = 0; s <= count; ++s) cuts.push_back(c.size(0, rows));
    if (c.coin()) cuts.front() = 0;
    if (c.coin()) cuts.back() = rows;
    std::sort(cuts.begin(), cuts.end());
    return cuts;
  };
  out.query = offsets(queries);
  out.key = offsets(keys);
  if (c.coin()) {
    for (std::int64_t s = 0; s < count; ++s) out.last_key_count.push_back(c.size(1, 500));
  }
  return out;
}

TEST(Attention, ForwardEqualsReference) {
  compare_with_reference(40, [](Case& c, Ops& ops) {
    const std::int64_t nq = c.size(0, 200), nk = c.size(0, 150), d = c.size(1, 40),
                       columns = d * c.size(1, 3);
    const AttentionSegments segments = some_segments(c, nq, nk);
    const Owned q = c.band({nq, columns});
    const Owned k = c.band({nk, columns});
    const Owned v = c.band({nk, columns});
    const Owned o = c.band({nq, columns});
    const Owned lse = c.fp32({columns / d, nq});
    AttentionForward a;
    a.q = q;
    a.k = k;
    a.v = v;
    a.segments = &segments;
    a.head_dim = d;
    a.scale = 1 / std::sqrt(static_cast<float>(d));
    a.o = o;
    if (c.coin()) a.lse = lse;
    ops.attention_forward(a);
    return std::vector<Output>{output("o", o), output("lse", lse)};
  });
}

AttentionBackward backward_of(const AttentionForward& forward) {
  AttentionBackward a;
  a.q = forward.q;
  a.k = forward.k;
  a.v = forward.v;
  a.o = forward.o;
  a.lse = forward.lse;
  a.segments = forward.segments;
  a.head_dim = forward.head_dim;
  a.scale = forward.scale;
  return a;
}

TEST(Attention, BackwardEqualsReference) {
  compare_with_reference(40, [](Case& c, Ops& ops) {
    const std::int64_t nq = c.size(0, 200), nk = c.size(0, 150), d = c.size(1, 40),
                       columns = d * c.size(1, 3);
    const AttentionSegments segments = some_segments(c, nq, nk);
    const Owned q = c.band({nq, columns});
    const Owned k = c.band({nk, columns});
    const Owned v = c.band({nk, columns});
    const Owned o = c.band({nq, columns});
    const Owned lse = c.fp32({columns / d, nq});
    AttentionForward forward;
    forward.q = q;
    forward.k = k;
    forward.v = v;
    forward.segments = &segments;
    forward.head_dim = d;
    forward.scale = 1 / std::sqrt(static_cast<float>(d));
    forward.o = o;
    forward.lse = lse;
    reference_ops().attention_forward(forward);
    const Owned dout = c.band({nq, columns});
    const Owned dq = c.band({nq, columns});
    const Owned dk = c.band({nk, columns});
    const Owned dv = c.band({nk, columns});
    AttentionBackward a = backward_of(forward);
    a.dout = dout;
    a.dq = dq;
    a.dk = dk;
    a.dv = dv;
    ops.attention_backward(a);
    return std::vector<Output>{gradient("dq", dq), gradient("dk", dk), gradient("dv", dv)};
  });
}

/// Both ways through attention with two heads, some rows of queries in no segment. Fused kernels round the
/// shares as well as the output, so that o too may miss by what is rounded twice.
std::vector<Output> forward_and_backward(Case& c, Ops& ops, const AttentionSegments& segments,
                                         std::int64_t head_dim) {
  const std::int64_t columns = 2 * head_dim, nq = segments.query.back() + 5, nk = segments.key.back();
  c.allow_packs();
  const Owned q = c.band({nq, columns}), k = c.band({nk, columns}), v = c.band({nk, columns}),
              o = c.band({nq, columns}), dout = c.band({nq, columns}), dq = c.band({nq, columns}),
              dk = c.band({nk, columns}), dv = c.band({nk, columns}), lse = c.fp32({2, nq});
  AttentionForward forward;
  forward.q = q;
  forward.k = k;
  forward.v = v;
  forward.segments = &segments;
  forward.head_dim = head_dim;
  forward.scale = 1 / std::sqrt(static_cast<float>(head_dim));
  forward.o = o;
  forward.lse = lse;
  ops.attention_forward(forward);
  AttentionBackward a = backward_of(forward);
  a.dout = dout;
  a.dq = dq;
  a.dk = dk;
  a.dv = dv;
  ops.attention_backward(a);
  return {gradient("o", o), output("lse", lse), gradient("dq", dq), gradient("dk", dk), gradient("dv", dv)};
}

/// Shapes that a GPU's body takes in one go: equal segments side by side, and many queries on few keys.
TEST(Attention, EqualSegmentsAndManyQueriesEqualReference) {
  for (const AttentionSegments& segments : {AttentionSegments{{0, 40, 80, 120, 130}, {0, 24, 48, 72, 80}, {}},
                                            AttentionSegments{{0, 3072}, {0, 40}, {}}}) {
    compare_with_reference(2, [&](Case& c, Ops& ops) { return forward_and_backward(c, ops, segments, 64); });
  }
}

/// Few keys of the models' heads, as text has them: a whole number of a GPU kernel's blocks and not, one key,
/// several equal segments and unequal ones, padding that counts often or not at all, keys that a block takes
/// by turns, and queries of which a block takes several tiles.
TEST(Attention, FewKeysOfWideHeadsEqualReference) {
  for (const AttentionSegments& segments :
       {AttentionSegments{{0, 1}, {0, 1}, {}}, AttentionSegments{{0, 64, 128}, {0, 64, 128}, {}},
        AttentionSegments{{2, 300, 431}, {0, 61, 64}, {452, 1}},
        AttentionSegments{{0, 130, 260, 390}, {0, 20, 40, 60}, {500, 500, 500}},
        AttentionSegments{{0, 1000}, {0, 65}, {448}}, AttentionSegments{{0, 500}, {0, 128}, {3}},
        AttentionSegments{{3, 200, 431}, {0, 10, 139}, {5, 9}},
        AttentionSegments{{0, 100, 200}, {0, 300, 600}, {20, 20}}, AttentionSegments{{0, 200}, {0, 512}, {}},
        AttentionSegments{{0, 5000}, {0, 70}, {443}}, AttentionSegments{{0, 5000}, {0, 140}, {373}}}) {
    compare_with_reference(1, [&](Case& c, Ops& ops) { return forward_and_backward(c, ops, segments, 128); });
  }
}

TEST(Attention, GradientsOverFewKeysHaveTheSameBitsAgain) {
  const AttentionSegments segments{{0, 5000}, {0, 70}, {443}};
  const auto gradients = [&] {
    Case c(1, DType::bf16);
    return forward_and_backward(c, test_device().ops(), segments, 128);
  };
  const std::vector<Output> once = gradients(), again = gradients();
  for (std::size_t i = 0; i < once.size(); ++i) EXPECT_EQ(once[i].values, again[i].values) << once[i].name;
}

/// One self-attention problem of fp32 storage on the host's fast ops.
struct Problem {
  Problem(std::uint64_t seed, std::int64_t queries, std::int64_t keys, std::int64_t dim, std::int64_t heads)
      : c(seed, DType::f32),
        q(c.tensor({queries, dim * heads})),
        k(c.tensor({keys, dim * heads})),
        v(c.tensor({keys, dim * heads})),
        dout(c.tensor({queries, dim * heads})),
        head_dim(dim) {}

  struct Result {
    Owned o, lse, dq, dk, dv;
  };

  [[nodiscard]] Result run(Ops& ops, const Tensor& keys, const Tensor& values,
                           const AttentionSegments& segments) const {
    Device& device = test_device();
    Result out{zeros(device, DType::f32, q.view().shape),
               zeros(device, DType::f32, {q.view().cols() / head_dim, q.view().rows()}),
               zeros(device, DType::f32, q.view().shape), zeros(device, DType::f32, keys.shape),
               zeros(device, DType::f32, keys.shape)};
    AttentionForward forward;
    forward.q = q;
    forward.k = keys;
    forward.v = values;
    forward.segments = &segments;
    forward.head_dim = head_dim;
    forward.scale = 1 / std::sqrt(static_cast<float>(head_dim));
    forward.o = out.o;
    forward.lse = out.lse;
    ops.attention_forward(forward);
    AttentionBackward backward = backward_of(forward);
    backward.dout = dout;
    backward.dq = out.dq;
    backward.dk = out.dk;
    backward.dv = out.dv;
    ops.attention_backward(backward);
    return out;
  }

  Case c;
  Owned q, k, v, dout;
  std::int64_t head_dim;
};

TEST(Attention, SeveralTilesEqualReference) {
  const Problem problem(11, 300, 1100, 16, 1);
  const AttentionSegments segments{{0, 290}, {3, 1100}, {77}};
  const auto fast = problem.run(test_device().ops(), problem.k, problem.v, segments);
  const auto slow = problem.run(reference_ops(), problem.k, problem.v, segments);
  EXPECT_LE(relative_l2(fast.o.values(), slow.o.values()), tolerance(DType::f32, false));
  EXPECT_LE(relative_l2(fast.lse.values(), slow.lse.values()), tolerance(DType::f32, false));
  EXPECT_LE(relative_l2(fast.dq.values(), slow.dq.values()), tolerance(DType::f32, true));
  EXPECT_LE(relative_l2(fast.dk.values(), slow.dk.values()), tolerance(DType::f32, true));
  EXPECT_LE(relative_l2(fast.dv.values(), slow.dv.values()), tolerance(DType::f32, true));
}

TEST(Attention, LastKeyCountEqualsRepeatedKeys) {
  const std::int64_t times = 29, keys = 6, columns = 24;
  const Problem problem(12, 21, keys, 12, 2);
  const auto repeat = [&](const Owned& tensor) {
    std::vector<float> values = tensor.values();
    const std::vector<float> last(values.end() - columns, values.end());
    for (std::int64_t i = 1; i < times; ++i) values.insert(values.end(), last.begin(), last.end());
    return Owned(test_device(), DType::f32, {keys + times - 1, columns}, values);
  };
  const Owned all_k = repeat(problem.k);
  const Owned all_v = repeat(problem.v);
  const AttentionSegments shortcut{{0, 21}, {0, keys}, {times}};
  const AttentionSegments whole{{0, 21}, {0, keys + times - 1}, {}};
  const auto with_count = problem.run(test_device().ops(), problem.k, problem.v, shortcut);
  const auto with_rows = problem.run(test_device().ops(), all_k, all_v, whole);
  const auto fold = [&](const Owned& tensor) {
    std::vector<float> values = tensor.values();
    for (std::size_t i = static_cast<std::size_t>(keys * columns); i < values.size(); ++i) {
      values[static_cast<std::size_t>((keys - 1) * columns) + i % static_cast<std::size_t>(columns)] +=
          values[i];
    }
    values.resize(static_cast<std::size_t>(keys * columns));
    return values;
  };
  EXPECT_LE(relative_l2(with_count.o.values(), with_rows.o.values()), tolerance(DType::f32, false));
  EXPECT_LE(relative_l2(with_count.lse.values(), with_rows.lse.values()), tolerance(DType::f32, false));
  EXPECT_LE(relative_l2(with_count.dq.values(), with_rows.dq.values()), tolerance(DType::f32, true));
  EXPECT_LE(relative_l2(with_count.dk.values(), fold(with_rows.dk)), tolerance(DType::f32, true));
  EXPECT_LE(relative_l2(with_count.dv.values(), fold(with_rows.dv)), tolerance(DType::f32, true));
}

/// What ring attention does: parts over disjoint keys, merged by their lse.
TEST(Attention, PartsByKeysMergedByLseEqualTheWhole) {
  const std::int64_t queries = 33, keys = 50, dim = 8, heads = 2;
  const Problem problem(13, queries, keys, dim, heads);
  const auto whole = problem.run(test_device().ops(), problem.k, problem.v, {{0, queries}, {0, keys}, {}});
  std::vector<float> merged(static_cast<std::size_t>(queries * heads * dim), 0.0F);
  std::vector<float> lse(static_cast<std::size_t>(heads * queries), -INFINITY);
  for (const auto& [begin, end] : {std::pair{0, 20}, std::pair{20, 20}, std::pair{20, 50}}) {
    const auto part =
        problem.run(test_device().ops(), problem.k.view().row_range(begin, end),
                    problem.v.view().row_range(begin, end), {{0, queries}, {0, end - begin}, {}});
    const std::vector<float> o = part.o.values();
    const std::vector<float> part_lse = part.lse.values();
    for (std::int64_t h = 0; h < heads; ++h) {
      for (std::int64_t i = 0; i < queries; ++i) {
        const auto at = static_cast<std::size_t>(h * queries + i);
        const float high = std::max(lse[at], part_lse[at]);
        const float total = high + std::log(std::exp(lse[at] - high) + std::exp(part_lse[at] - high));
        for (std::int64_t d = 0; d < dim; ++d) {
          const auto place = static_cast<std::size_t>((i * heads + h) * dim + d);
          merged[place] =
              merged[place] * std::exp(lse[at] - total) + o[place] * std::exp(part_lse[at] - total);
        }
        lse[at] = total;
      }
    }
  }
  EXPECT_LE(relative_l2(merged, whole.o.values()), tolerance(DType::f32, false));
  EXPECT_LE(relative_l2(lse, whole.lse.values()), tolerance(DType::f32, false));
}

/// The backward of ring attention: each part of the keys takes the whole's o and lse.
TEST(Attention, BackwardsOverPartsOfTheKeysAddUpToTheWhole) {
  const std::int64_t queries = 33, keys = 50, dim = 8, heads = 2;
  const Problem problem(15, queries, keys, dim, heads);
  const auto whole = problem.run(test_device().ops(), problem.k, problem.v, {{0, queries}, {0, keys}, {}});
  for (Ops* ops : {&test_device().ops(), &reference_ops()}) {
    std::vector<float> dq(static_cast<std::size_t>(queries * heads * dim), 0.0F);
    std::vector<float> dk;
    std::vector<float> dv;
    for (const auto& [begin, end] : {std::pair{0, 20}, std::pair{20, 50}}) {
      const AttentionSegments segments{{0, queries}, {0, end - begin}, {}};
      const Owned part_dq = zeros(test_device(), DType::f32, problem.q.view().shape);
      const Owned part_dk = zeros(test_device(), DType::f32, {end - begin, heads * dim});
      const Owned part_dv = zeros(test_device(), DType::f32, {end - begin, heads * dim});
      ops->attention_backward({problem.q, problem.k.view().row_range(begin, end),
                               problem.v.view().row_range(begin, end), whole.o, whole.lse, problem.dout,
                               &segments, dim, 1 / std::sqrt(static_cast<float>(dim)), part_dq, part_dk,
                               part_dv, true});
      const std::vector<float> added = part_dq.values();
      for (std::size_t i = 0; i < dq.size(); ++i) dq[i] += added[i];
      for (const float value : part_dk.values()) dk.push_back(value);
      for (const float value : part_dv.values()) dv.push_back(value);
    }
    EXPECT_LE(relative_l2(dq, whole.dq.values()), tolerance(DType::f32, true));
    EXPECT_LE(relative_l2(dk, whole.dk.values()), tolerance(DType::f32, true));
    EXPECT_LE(relative_l2(dv, whole.dv.values()), tolerance(DType::f32, true));
  }
}

/// Keys that share a large part, as the many equal ones of padded text do, turn any error of D into one of
/// dq.
TEST(Attention, RoundingOfAStoredOutputDoesNotReachTheGradient) {
  const std::int64_t queries = 40, keys = 20, dim = 24;
  Case c(16, DType::bf16);
  const Owned q = c.tensor({queries, dim});
  const Owned k = c.tensor({keys, dim}, 0.3F, 2);
  const Owned v = c.tensor({keys, dim}, 1, 3);
  const Owned dout = c.tensor({queries, dim}, 1, 1);
  const AttentionSegments segments{{0, queries}, {0, keys}, {493}};
  const auto gradient_of = [&](DType storage) {
    const auto stored = [&](const Owned& tensor) {
      return Owned(test_device(), storage, tensor.view().shape, tensor.values());
    };
    const Owned some_q = stored(q), some_k = stored(k), some_v = stored(v), some_dout = stored(dout);
    const Owned o = zeros(test_device(), storage, {queries, dim});
    const Owned lse = zeros(test_device(), DType::f32, {1, queries});
    const Owned dq = zeros(test_device(), storage, {queries, dim});
    const Owned dk = zeros(test_device(), storage, {keys, dim});
    const Owned dv = zeros(test_device(), storage, {keys, dim});
    Ops& ops = test_device().ops();
    ops.attention_forward({some_q, some_k, some_v, &segments, dim, 0.2F, o, lse});
    ops.attention_backward({some_q, some_k, some_v, o, lse, some_dout, &segments, dim, 0.2F, dq, dk, dv});
    return dq.values();
  };
  EXPECT_LE(relative_l2(gradient_of(DType::bf16), gradient_of(DType::f32)), tolerance(DType::bf16, true));
}

/// Logits of hundreds must neither overflow nor lose the sum.
TEST(Attention, LargeLogitsStayFinite) {
  Case c(14, DType::f32);
  const Owned q = c.tensor({5, 8}, 40);
  const Owned k = c.tensor({1030, 8}, 40);
  const Owned v = c.tensor({1030, 8});
  const AttentionSegments segments{{0, 5}, {0, 1030}, {}};
  const auto run = [&](Ops& ops) {
    const Owned o = zeros(test_device(), DType::f32, {5, 8});
    AttentionForward a;
    a.q = q;
    a.k = k;
    a.v = v;
    a.segments = &segments;
    a.head_dim = 8;
    a.scale = 1;
    a.o = o;
    ops.attention_forward(a);
    return o.values();
  };
  EXPECT_LE(relative_l2(run(test_device().ops()), run(reference_ops())), 1e-4)
      << "logits near 10^4 have ulps of 1e-3";
}

}  // namespace
}  // namespace wan::test
