#include "op_case.hpp"

namespace wan::test {
namespace {

Activation some_activation(Case& c) {
  const Activation all[] = {Activation::none, Activation::gelu_tanh, Activation::silu};
  return all[c.size(0, 2)];
}

TEST(Linear, ForwardEqualsReference) {
  compare_with_reference(40, [](Case& c, Ops& ops) {
    const std::int64_t n = c.size(0, 70), k = c.size(1, 90), m = c.size(1, 100);
    const Owned x = c.band({n, k});
    const Owned w = c.tensor({m, k});
    const bool wide_out = c.coin();
    const Owned y = wide_out ? c.fp32_band({n, m}) : c.band({n, m});
    const Owned pre = wide_out ? c.fp32_band({n, m}) : c.band({n, m});
    const Owned bias = c.coin() ? c.tensor({m}) : c.fp32({m});
    LinearForward a;
    a.x = x;
    a.w = w;
    a.y = y;
    if (c.coin()) a.bias = bias;
    a.activation = some_activation(c);
    const bool keep = c.coin();
    if (keep) a.pre = pre;
    ops.linear_forward(a);
    std::vector<Output> out = {output("y", y)};
    if (keep) out.push_back(output("pre", pre));
    return out;
  });
}

TEST(Linear, BackwardDataEqualsReference) {
  compare_with_reference(40, [](Case& c, Ops& ops) {
    const std::int64_t n = c.size(0, 70), k = c.size(1, 90), m = c.size(1, 100);
    const Owned dy = c.band({n, m});
    const Owned w = c.tensor({m, k});
    const Owned pre = c.band({n, k});
    const Owned dx = c.coin() ? c.fp32_band({n, k}) : c.band({n, k});
    LinearBackwardData a;
    a.dy = dy;
    a.w = w;
    a.activation = some_activation(c);
    a.pre = pre;
    a.accumulate = c.coin();
    a.dx = dx;
    ops.linear_backward_data(a);
    return std::vector<Output>{gradient("dx", dx)};
  });
}

TEST(Linear, BackwardWeightEqualsReference) {
  compare_with_reference(40, [](Case& c, Ops& ops) {
    const std::int64_t n = c.size(0, 600), k = c.size(1, 90), m = c.size(1, 100);
    const Owned dy = c.band({n, m});
    const Owned x = c.band({n, k});
    const Owned dw = c.fp32({m, k});
    const Owned db = c.fp32({m});
    LinearBackwardWeight a;
    a.dy = dy;
    a.x = x;
    if (c.coin()) a.dw = dw;
    if (c.coin()) a.db = db;
    ops.linear_backward_weight(a);
    return std::vector<Output>{gradient("dw", dw), gradient("db", db)};
  });
}

}  // namespace
}  // namespace wan::test
