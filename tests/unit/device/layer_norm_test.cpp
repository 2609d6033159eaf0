#include "op_case.hpp"

namespace wan::test {
namespace {

TEST(LayerNorm, ForwardEqualsReference) {
  compare_with_reference(40, [](Case& c, Ops& ops) {
    const std::int64_t n = c.size(0, 40), channels = c.columns(1, 200), rows = c.size(1, 5);
    const Owned x = c.band({n, channels}, 3);
    const Owned y = c.band({n, channels});
    const Owned scale = c.fp32_band({rows, channels});
    const Owned shift = c.fp32_band({rows, channels});
    const Owned index = c.runs(n, rows);
    const Owned weight = c.tensor({channels});
    const Owned bias = c.tensor({channels});
    const Owned mean = c.fp32({n});
    const Owned rstd = c.fp32({n});
    LayerNormForward a;
    a.x = x;
    a.y = y;
    if (c.coin()) {
      a.scale = scale;
      a.shift = shift;
      a.row_index = index;
    } else {
      a.weight = weight;
      a.bias = bias;
    }
    if (c.coin()) {
      a.mean = mean;
      a.rstd = rstd;
    }
    ops.layer_norm_forward(a);
    return std::vector<Output>{output("y", y), output("mean", mean), output("rstd", rstd)};
  });
}

TEST(LayerNorm, BackwardEqualsReference) {
  compare_with_reference(40, [](Case& c, Ops& ops) {
    const std::int64_t n = c.size(0, 700), channels = c.columns(2, 140), rows = c.size(1, 5);
    const Owned x = c.band({n, channels});
    const Owned dy = c.band({n, channels});
    const Owned dx = c.band({n, channels});
    const Owned scale = c.fp32_band({rows, channels});
    const Owned index = c.runs(n, rows);
    const Owned weight = c.fp32({channels});
    const Owned mean = c.fp32({n}, 0.1F);
    const Owned rstd = c.fp32({n}, 0.1F, 1);
    const Owned dscale = c.fp32_band({rows, channels});
    const Owned dshift = c.fp32_band({rows, channels});
    const Owned dweight = c.fp32({channels});
    const Owned dbias = c.fp32({channels});
    LayerNormBackward a;
    a.dy = dy;
    a.x = x;
    a.mean = mean;
    a.rstd = rstd;
    a.dx = dx;
    if (c.coin()) {
      a.scale = scale;
      a.row_index = index;
      if (c.coin()) a.dscale = dscale;
      if (c.coin()) a.dshift = dshift;
    } else {
      a.weight = weight;
      if (c.coin()) a.dweight = dweight;
      if (c.coin()) a.dbias = dbias;
    }
    ops.layer_norm_backward(a);
    return std::vector<Output>{gradient("dx", dx), gradient("dscale", dscale), gradient("dshift", dshift),
                               gradient("dweight", dweight), gradient("dbias", dbias)};
  });
}

TEST(GatedResidual, ForwardEqualsReference) {
  compare_with_reference(30, [](Case& c, Ops& ops) {
    const std::int64_t n = c.size(0, 40), channels = c.columns(1, 200), rows = c.size(1, 5);
    const Owned x = c.coin() ? c.band({n, channels}) : c.fp32_band({n, channels});
    const Owned y = c.band({n, channels});
    const Owned gate = c.fp32_band({rows, channels});
    const Owned index = c.runs(n, rows);
    const Owned apart = c.band({n, channels});
    const bool in_place = c.coin();
    GatedResidualForward a;
    a.x = x;
    a.y = y;
    if (c.coin()) {
      a.gate = gate;
      a.row_index = index;
    }
    a.out = in_place ? x : apart;
    ops.gated_residual_forward(a);
    return std::vector<Output>{output("out", in_place ? x : apart)};
  });
}

TEST(GatedResidual, BackwardEqualsReference) {
  compare_with_reference(30, [](Case& c, Ops& ops) {
    const std::int64_t n = c.size(0, 700), channels = c.columns(1, 140), rows = c.size(1, 5);
    const Owned g = c.band({n, channels});
    const Owned y = c.band({n, channels});
    const Owned gate = c.fp32_band({rows, channels});
    const Owned index = c.runs(n, rows);
    const Owned dy = c.band({n, channels});
    const Owned dgate = c.fp32_band({rows, channels});
    GatedResidualBackward a;
    a.g = g;
    a.y = y;
    a.gate = gate;
    a.row_index = index;
    if (c.coin()) a.dy = dy;
    if (c.coin()) a.dgate = dgate;
    ops.gated_residual_backward(a);
    return std::vector<Output>{gradient("dy", dy), gradient("dgate", dgate)};
  });
}

/// Both ways through a residual and the norm of what it gives.
std::vector<Output> residual_norm(Case& c, Ops& ops, std::int64_t n, std::int64_t channels,
                                  bool short_runs = false) {
  const std::int64_t rows = short_runs ? n : c.size(1, 5);
  const Shape shape = {n, channels};
  const Owned x = c.band(shape), y = c.band(shape), apart = c.band(shape), normed = c.band(shape);
  const Owned gate = c.fp32_band({rows, channels}), scale = c.fp32_band({rows, channels}),
              shift = c.fp32_band({rows, channels});
  const Owned index = short_runs ? Case::short_runs(n) : c.runs(n, rows);
  const Owned weight = c.fp32({channels}), bias = c.fp32({channels});
  const Owned mean = c.fp32({n}), rstd = c.fp32({n});
  const bool modulated = c.coin(), gated = c.coin(), in_place = c.coin();
  ResidualNormForward forward;
  forward.residual.x = x;
  forward.residual.y = y;
  if (gated) {
    forward.residual.gate = gate;
    forward.residual.row_index = index;
  }
  forward.residual.out = forward.norm.x = in_place ? x : apart;
  if (modulated) {
    forward.norm.scale = scale;
    forward.norm.shift = shift;
    forward.norm.row_index = index;
  } else {
    forward.norm.weight = weight;
    forward.norm.bias = bias;
  }
  forward.norm.y = normed;
  if (c.coin()) {
    forward.norm.mean = mean;
    forward.norm.rstd = rstd;
  }
  ops.residual_norm_forward(forward);

  // The backward's inputs are its own, so that it is compared by itself.
  const Owned kept_x = c.band(shape), kept_y = c.band(shape), dnormed = c.band(shape), g = c.band(shape),
              dy = c.band(shape);
  const Owned kept_mean = c.fp32({n}, 0.1F), kept_rstd = c.fp32({n}, 0.1F, 1);
  const Owned dscale = c.fp32_band({rows, channels}), dshift = c.fp32_band({rows, channels}),
              dgate = c.fp32_band({rows, channels});
  const Owned dweight = c.fp32({channels}), dbias = c.fp32({channels});
  const bool over_dnormed = c.coin();
  ResidualNormBackward backward;
  backward.norm.dy = dnormed;
  backward.norm.x = kept_x;
  backward.norm.mean = kept_mean;
  backward.norm.rstd = kept_rstd;
  backward.norm.dx = backward.residual.g = g;
  if (modulated) {
    backward.norm.scale = scale;
    backward.norm.row_index = index;
    if (c.coin()) backward.norm.dscale = dscale;
    if (c.coin()) backward.norm.dshift = dshift;
  } else {
    backward.norm.weight = weight;
    if (c.coin()) backward.norm.dweight = dweight;
    if (c.coin()) backward.norm.dbias = dbias;
  }
  backward.residual.y = kept_y;
  backward.residual.gate = gate;
  backward.residual.row_index = index;
  backward.residual.dy = over_dnormed ? dnormed : dy;
  if (c.coin()) backward.residual.dgate = dgate;
  ops.residual_norm_backward(backward);
  return {output("out", in_place ? x : apart),
          output("normed", normed),
          output("mean", mean),
          output("rstd", rstd),
          gradient("g", g),
          gradient("dy", over_dnormed ? dnormed : dy),
          gradient("dscale", dscale),
          gradient("dshift", dshift),
          gradient("dweight", dweight),
          gradient("dbias", dbias),
          gradient("dgate", dgate)};
}

TEST(ResidualNorm, EqualsReference) {
  compare_with_reference(40, [](Case& c, Ops& ops) {
    const std::int64_t n = c.size(0, 300), channels = c.columns(2, 140);
    return residual_norm(c, ops, n, channels);
  });
}

TEST(ResidualNorm, WideRowsEqualReference) {
  for (const std::int64_t channels : {1536, 5120, 8200}) {
    compare_with_reference(1, [&](Case& c, Ops& ops) {
      c.allow_packs();
      return residual_norm(c, ops, 300, channels);
    });
  }
}

/// Both ways through a modulated norm.
std::vector<Output> layer_norm(Case& c, Ops& ops, std::int64_t n, std::int64_t channels, bool short_runs) {
  const std::int64_t rows = short_runs ? n : 4;
  c.allow_packs();
  const Owned x = c.tensor({n, channels});
  const Owned dy = c.tensor({n, channels});
  const Owned dx = c.tensor({n, channels});
  const Owned y = c.tensor({n, channels});
  const Owned scale = c.fp32_band({rows, channels});
  const Owned shift = c.fp32_band({rows, channels});
  const Owned index = short_runs ? Case::short_runs(n) : c.runs(n, rows);
  const Owned mean = c.fp32({n});
  const Owned rstd = c.fp32({n});
  const Owned dscale = c.fp32_band({rows, channels});
  const Owned dshift = c.fp32_band({rows, channels});
  LayerNormForward forward;
  forward.x = x;
  forward.y = y;
  forward.scale = scale;
  forward.shift = shift;
  forward.row_index = index;
  forward.mean = mean;
  forward.rstd = rstd;
  ops.layer_norm_forward(forward);
  LayerNormBackward backward;
  backward.dy = dy;
  backward.x = x;
  backward.mean = mean;
  backward.rstd = rstd;
  backward.scale = scale;
  backward.row_index = index;
  backward.dx = dx;
  backward.dscale = dscale;
  backward.dshift = dshift;
  ops.layer_norm_backward(backward);
  return {output("y", y),     output("mean", mean),       output("rstd", rstd),
          gradient("dx", dx), gradient("dscale", dscale), gradient("dshift", dshift)};
}

/// Rows as wide as the models', and one that a block of a GPU cannot hold; runs of one modulation row that
/// begin, end and lie within what a block walks.
TEST(LayerNorm, WideRowsEqualReference) {
  for (const std::int64_t channels : {1536, 5120, 8200}) {
    compare_with_reference(1, [&](Case& c, Ops& ops) { return layer_norm(c, ops, 300, channels, false); });
  }
}

/// Fewer rows than a GPU has blocks for, and modulation rows of 1 to 3 tokens; rows that a block shares out
/// evenly, one warp's and the widest, and one that none does.
TEST(LayerNorm, FewRowsAndShortRunsEqualReference) {
  for (const std::int64_t channels : {512, 1544, 5120}) {
    for (const std::int64_t n : {1, 2, 3, 5, 301}) {
      compare_with_reference(1, [&](Case& c, Ops& ops) { return layer_norm(c, ops, n, channels, true); });
      compare_with_reference(1, [&](Case& c, Ops& ops) {
        c.allow_packs();
        return residual_norm(c, ops, n, channels, true);
      });
    }
  }
}

/// More rows than a GPU takes at once, so that a block walks several.
TEST(LayerNorm, ManyRowsEqualReference) {
  compare_with_reference(1, [&](Case& c, Ops& ops) { return layer_norm(c, ops, 10001, 512, false); });
}

/// The variance of equal numbers is 0, not what rounding leaves of it.
TEST(LayerNorm, EqualNumbersHaveNoVariance) {
  constexpr std::int64_t n = 4, channels = 1536;
  const Owned x(test_device(), DType::f32, {n, channels}, std::vector<float>(n * channels, 1024.5F));
  const Owned zero = zeros(test_device(), DType::f32, {channels});
  const Owned y = zeros(test_device(), DType::f32, {n, channels});
  LayerNormForward a;
  a.x = x;
  a.eps = 1e-30F;
  a.weight = zero;
  a.bias = zero;
  a.y = y;
  const Owned mean = zeros(test_device(), DType::f32, {n});
  const Owned rstd = zeros(test_device(), DType::f32, {n});
  a.mean = mean;
  a.rstd = rstd;
  test_device().ops().layer_norm_forward(a);
  for (const float found : mean.values()) EXPECT_EQ(found, 1024.5F);
  for (const float found : rstd.values()) EXPECT_NEAR(found, 1e15F, 1e9F);
}

}  // namespace
}  // namespace wan::test
