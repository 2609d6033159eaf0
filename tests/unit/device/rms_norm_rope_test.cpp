#include <cmath>

#include "op_case.hpp"

namespace wan::test {
namespace {

/// Tables of random angles and positions; the ops do not know where angles come from.
struct Rope {
  Rope(Case& c, std::int64_t tokens, std::int64_t head_dim) {
    const std::int64_t positions = c.size(1, 12);
    std::vector<float> cos;
    std::vector<float> sin;
    for (const float angle :
         normals(static_cast<std::uint64_t>(c.size(0, 1 << 20)), positions * head_dim / 2, 2)) {
      cos.push_back(std::cos(angle));
      sin.push_back(std::sin(angle));
    }
    cosine = Owned(test_device(), DType::f32, {positions, head_dim / 2}, cos);
    sine = Owned(test_device(), DType::f32, {positions, head_dim / 2}, sin);
    std::vector<std::int32_t> places(static_cast<std::size_t>(3 * tokens));
    for (std::int32_t& place : places) place = static_cast<std::int32_t>(c.size(0, positions - 1));
    position = Owned::integers(test_device(), {tokens, 3}, places);
  }

  [[nodiscard]] RopeTable table() const { return {cosine, sine, position}; }

  Owned cosine, sine, position;
};

/// In some cases rows as a GPU takes them in packs.
struct Sizes {
  explicit Sizes(Case& c) : tokens(c.size(0, 300)), rotated(c.coin()) {
    head_dim = c.columns(1, 40) * 2;
    channels = head_dim * c.size(1, 4);
    if (c.size(0, 3) > 0) return;
    c.allow_packs();
    head_dim = 16 << c.size(1, 3);
    channels = 512 * c.size(1, 3);
  }
  std::int64_t tokens, head_dim = 0, channels = 0;
  bool rotated;
};

TEST(RmsNormRope, ForwardEqualsReference) {
  compare_with_reference(40, [](Case& c, Ops& ops) {
    const Sizes sizes(c);
    const Rope rope(c, sizes.tokens, sizes.head_dim);
    const Owned x = c.band({sizes.tokens, sizes.channels});
    const Owned weight = c.coin() ? c.fp32({sizes.channels}) : c.tensor({sizes.channels});
    const Owned y = c.band({sizes.tokens, sizes.channels});
    const Owned rstd = c.fp32({sizes.tokens});
    const Owned reduced = c.fp32({sizes.tokens}, 1, 300);
    const bool in_place = c.coin();
    RmsNormRopeForward a;
    a.x = x;
    a.weight = weight;
    a.width = sizes.channels;
    a.head_dim = sizes.head_dim;
    if (sizes.rotated) a.rope = rope.table();
    if (c.coin()) {
      a.sum_squares = reduced;
      a.width = 3 * sizes.channels;
    }
    a.y = in_place ? x : y;
    if (c.coin()) a.rstd = rstd;
    ops.rms_norm_rope_forward(a);
    return std::vector<Output>{output("y", in_place ? x : y), output("rstd", rstd)};
  });
}

TEST(RmsNormRope, BackwardEqualsReference) {
  compare_with_reference(40, [](Case& c, Ops& ops) {
    const Sizes sizes(c);
    const Rope rope(c, sizes.tokens, sizes.head_dim);
    const Owned x = c.band({sizes.tokens, sizes.channels});
    const Owned dy = c.band({sizes.tokens, sizes.channels});
    const Owned weight = c.coin() ? c.fp32({sizes.channels}) : c.tensor({sizes.channels});
    const Owned rstd = c.fp32({sizes.tokens}, 0.1F, 1);
    const Owned reduced = c.fp32({sizes.tokens}, 10);
    const Owned dx = c.band({sizes.tokens, sizes.channels});
    const Owned dweight = c.fp32({sizes.channels});
    const bool in_place = c.coin();
    RmsNormRopeBackward a;
    a.dy = dy;
    a.x = x;
    a.weight = weight;
    a.rstd = rstd;
    a.width = sizes.channels;
    a.head_dim = sizes.head_dim;
    if (sizes.rotated) a.rope = rope.table();
    if (c.coin()) {
      a.dot = reduced;
      a.width = 2 * sizes.channels;
    }
    a.dx = in_place ? dy : dx;
    if (c.coin()) a.dweight = dweight;
    ops.rms_norm_rope_backward(a);
    return std::vector<Output>{gradient("dx", in_place ? dy : dx), gradient("dweight", dweight)};
  });
}

TEST(RmsNormRope, PairEqualsReference) {
  compare_with_reference(30, [](Case& c, Ops& ops) {
    const Sizes sizes(c);
    const Rope rope(c, sizes.tokens, sizes.head_dim);
    const Shape shape = {sizes.tokens, sizes.channels};
    const bool wide_weights = c.coin();
    const auto weights = [&] { return wide_weights ? c.fp32({sizes.channels}) : c.tensor({sizes.channels}); };
    const Owned x[] = {c.band(shape), c.band(shape)};
    const Owned y[] = {c.band(shape), c.band(shape)};
    const Owned dy[] = {c.band(shape), c.band(shape)};
    const Owned weight[] = {weights(), weights()};
    const Owned rstd[] = {c.fp32({sizes.tokens}), c.fp32({sizes.tokens})};
    const Owned kept[] = {c.fp32({sizes.tokens}, 0.1F, 1), c.fp32({sizes.tokens}, 0.1F, 1)};
    const Owned squares[] = {c.fp32({sizes.tokens}, 1, 300), c.fp32({sizes.tokens}, 1, 300)};
    const Owned dots[] = {c.fp32({sizes.tokens}, 10), c.fp32({sizes.tokens}, 10)};
    const Owned dweight[] = {c.fp32({sizes.channels}), c.fp32({sizes.channels})};
    const bool reduced = c.coin();
    const bool summed = c.coin();
    RmsNormRopeForward forward[2];
    RmsNormRopeBackward backward[2];
    for (int i = 0; i < 2; ++i) {
      forward[i].x = x[i];
      forward[i].weight = weight[i];
      forward[i].width = reduced ? 3 * sizes.channels : sizes.channels;
      forward[i].head_dim = sizes.head_dim;
      if (sizes.rotated) forward[i].rope = rope.table();
      if (reduced) forward[i].sum_squares = squares[i];
      forward[i].y = y[i];
      forward[i].rstd = rstd[i];
      backward[i].dy = dy[i];
      backward[i].x = x[i];
      backward[i].weight = weight[i];
      backward[i].rstd = kept[i];
      backward[i].width = forward[i].width;
      backward[i].head_dim = sizes.head_dim;
      backward[i].rope = forward[i].rope;
      if (reduced) backward[i].dot = dots[i];
      backward[i].dx = dy[i];
      if (summed || i == 1) backward[i].dweight = dweight[i];
    }
    ops.rms_norm_rope_pair_forward({forward[0], forward[1]});
    ops.rms_norm_rope_pair_backward({backward[0], backward[1]});
    std::vector<Output> out;
    for (int i = 0; i < 2; ++i) {
      out.push_back(output("y", y[i]));
      out.push_back(output("rstd", rstd[i]));
      out.push_back(gradient("dx", dy[i]));
      out.push_back(gradient("dweight", dweight[i]));
    }
    return out;
  });
}

/// As wide as the models' rows, which a block of a GPU walks through many of.
TEST(RmsNormRope, WidePairEqualsReference) {
  for (const std::int64_t channels : {1536, 5120}) {
    for (const std::int64_t tokens : {1, 3, 300}) {
      compare_with_reference(2, [&](Case& c, Ops& ops) {
        const Rope rope(c, tokens, 128);
        const Shape shape = {tokens, channels};
        const Owned x[] = {c.tensor(shape), c.tensor(shape)};
        const Owned y[] = {c.tensor(shape), c.tensor(shape)};
        const Owned dy[] = {c.tensor(shape), c.tensor(shape)};
        const bool wide_weights = c.coin();
        const auto weights = [&] { return wide_weights ? c.fp32({channels}) : c.tensor({channels}); };
        const Owned weight[] = {weights(), weights()};
        const Owned rstd[] = {c.fp32({tokens}), c.fp32({tokens})};
        const Owned dweight[] = {c.fp32({channels}), c.fp32({channels})};
        const auto forward = [&](int i) {
          return RmsNormRopeForward{x[i], weight[i], 1e-6F, channels, 128, rope.table(), {}, y[i], rstd[i]};
        };
        const auto backward = [&](int i) {
          return RmsNormRopeBackward{dy[i], x[i],         weight[i], rstd[i], channels,
                                     128,   rope.table(), {},        dy[i],   dweight[i]};
        };
        ops.rms_norm_rope_pair_forward({forward(0), forward(1)});
        ops.rms_norm_rope_pair_backward({backward(0), backward(1)});
        std::vector<Output> out;
        for (int i = 0; i < 2; ++i) {
          out.push_back(output("y", y[i]));
          out.push_back(gradient("dx", dy[i]));
          out.push_back(gradient("dweight", dweight[i]));
        }
        return out;
      });
    }
  }
}

/// |u| |x| can be far above |u . x|, so partial sums are compared on a scale where nothing cancels.
TEST(RmsNormRope, PartialSumsEqualReference) {
  compare_with_reference(40, [](Case& c, Ops& ops) {
    const Sizes sizes(c);
    const Rope rope(c, sizes.tokens, sizes.head_dim);
    const Owned x = c.band({sizes.tokens, sizes.channels});
    const Owned dy = c.band({sizes.tokens, sizes.channels});
    const Owned weight = c.fp32({sizes.channels});
    const Owned squares = c.fp32({sizes.tokens});
    const Owned dots = c.fp32({sizes.tokens});
    ops.rms_norm_sum_squares({x, squares});
    RmsNormRopeDot a;
    a.dy = dy;
    a.x = x;
    a.weight = weight;
    a.head_dim = sizes.head_dim;
    if (sizes.rotated) a.rope = rope.table();
    a.out = dots;
    ops.rms_norm_rope_dot(a);
    return std::vector<Output>{output("squares", squares), gradient("dots", dots)};
  });
}

/// The heads of one row dealt to `ranks` ranks, each with its partial sums reduced over all, give what one
/// rank gives.
class SplitOverRanks : public testing::TestWithParam<int> {};

TEST_P(SplitOverRanks, PartialThenApplyEqualsFused) {
  const int ranks = GetParam();
  Ops& ops = test_device().ops();
  Case c(7, DType::f32);
  const std::int64_t tokens = 37, head_dim = 12, heads = 6, channels = heads * head_dim;
  const Rope rope(c, tokens, head_dim);
  const Owned x = c.tensor({tokens, channels});
  const Owned dy = c.tensor({tokens, channels});
  const Owned weight = c.fp32({channels}, 0.2F, 1);
  const Owned y = c.tensor({tokens, channels});
  const Owned dx = c.tensor({tokens, channels});
  const Owned rstd = c.fp32({tokens});
  const Owned dweight = zeros(test_device(), DType::f32, {channels});
  RmsNormRopeForward forward;
  forward.x = x;
  forward.weight = weight;
  forward.width = channels;
  forward.head_dim = head_dim;
  forward.rope = rope.table();
  forward.y = y;
  forward.rstd = rstd;
  ops.rms_norm_rope_forward(forward);
  RmsNormRopeBackward backward;
  backward.dy = dy;
  backward.x = x;
  backward.weight = weight;
  backward.rstd = rstd;
  backward.width = channels;
  backward.head_dim = head_dim;
  backward.rope = rope.table();
  backward.dx = dx;
  backward.dweight = dweight;
  ops.rms_norm_rope_backward(backward);

  const auto columns = [&](const Tensor& tensor, int rank) {
    const std::int64_t local = channels / ranks;
    return tensor.col_range(rank * local, (rank + 1) * local);
  };
  const auto weights = [&](int rank) {
    return Tensor(weight.view().as<float>() + rank * (channels / ranks), DType::f32, {channels / ranks});
  };
  const auto reduced = [&](const std::function<void(int, const Tensor&)>& partial) {
    const Owned sum = zeros(test_device(), DType::f32, {tokens});
    const Owned part = zeros(test_device(), DType::f32, {tokens});
    for (int rank = 0; rank < ranks; ++rank) {
      partial(rank, part);
      ops.axpby({1, part, 1, sum});
    }
    return sum.values();
  };
  const Owned squares(test_device(), DType::f32, {tokens}, reduced([&](int rank, const Tensor& out) {
                        ops.rms_norm_sum_squares({columns(x, rank), out});
                      }));
  const Owned split_y = zeros(test_device(), DType::f32, {tokens, channels});
  const Owned split_dx = zeros(test_device(), DType::f32, {tokens, channels});
  std::vector<float> split_dweight;
  for (int rank = 0; rank < ranks; ++rank) {
    RmsNormRopeForward a = forward;
    a.x = columns(x, rank);
    a.weight = weights(rank);
    a.sum_squares = squares;
    a.y = columns(split_y, rank);
    ops.rms_norm_rope_forward(a);
  }
  const Owned dots(test_device(), DType::f32, {tokens}, reduced([&](int rank, const Tensor& out) {
                     RmsNormRopeDot a;
                     a.dy = columns(dy, rank);
                     a.x = columns(x, rank);
                     a.weight = weights(rank);
                     a.head_dim = head_dim;
                     a.rope = rope.table();
                     a.out = out;
                     ops.rms_norm_rope_dot(a);
                   }));
  for (int rank = 0; rank < ranks; ++rank) {
    const Owned part = zeros(test_device(), DType::f32, {channels / ranks});
    RmsNormRopeBackward a = backward;
    a.dy = columns(dy, rank);
    a.x = columns(x, rank);
    a.weight = weights(rank);
    a.dot = dots;
    a.dx = columns(split_dx, rank);
    a.dweight = part;
    ops.rms_norm_rope_backward(a);
    for (const float value : part.values()) split_dweight.push_back(value);
  }
  EXPECT_LE(relative_l2(split_y.values(), y.values()), tolerance(DType::f32, false));
  EXPECT_LE(relative_l2(split_dx.values(), dx.values()), tolerance(DType::f32, true));
  EXPECT_LE(relative_l2(split_dweight, dweight.values()), tolerance(DType::f32, true));
}

INSTANTIATE_TEST_SUITE_P(RmsNormRope, SplitOverRanks, testing::Values(2, 3));

}  // namespace
}  // namespace wan::test
