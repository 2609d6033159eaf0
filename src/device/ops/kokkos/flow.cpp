#include "device/ops/kokkos/element_sum.hpp"
#include "device/ops/kokkos/kokkos_ops.hpp"
#include "device/ops/kokkos/launch.hpp"
#include "device/ops/kokkos/storage.hpp"

namespace wan {
namespace {

using namespace kernels;  // NOLINT(google-build-using-namespace): a file of kernels

/// Block `number` of a stream of normals; the last one may be cut.
struct NormalBlock {
  RandomKey key;
  std::int64_t count;
  float* out;

  KOKKOS_FUNCTION void operator()(std::int64_t number) const {
    float values[4];
    normals_from_block(philox(key, static_cast<std::uint64_t>(number)), values);
    for (std::int64_t lane = 0; lane < 4 && 4 * number + lane < count; ++lane)
      out[4 * number + lane] = values[lane];
  }
};

template <class C, class N>
struct Mix {
  float sigma;
  const C* clean;
  const float* noise;
  N* noisy;
  float* target;

  template <class At>
  KOKKOS_FORCEINLINE_FUNCTION auto operands(At i) const {
    return Operands<decltype(raw(clean, i)), decltype(raw(noise, i))>{raw(clean, i), raw(noise, i)};
  }
  template <class At, class In>
  KOKKOS_FORCEINLINE_FUNCTION void operator()(At i, const In& in) const {
    const auto x = wide(in.a);
    const auto e = wide(in.b);
    store(noisy, i, (1.0F - sigma) * x + sigma * e);
    store(target, i, e - x);
  }
};

template <class P>
struct SquaredDifference {
  const P* prediction;
  const float* target;

  template <class At>
  KOKKOS_FORCEINLINE_FUNCTION double operator()(At i) const {
    return add_parts(load(prediction, i), load(target, i), [](float p, float t) {
      const double d = static_cast<double>(p) - static_cast<double>(t);
      return d * d;
    });
  }
};

struct WriteLoss {
  double weight;
  float* loss;
  float* raw;

  KOKKOS_FUNCTION void operator()(double sum) const {
    *loss = static_cast<float>(weight * sum);
    *raw = static_cast<float>(sum);
  }
};

template <class P>
struct LossGradient {
  float factor;
  const P* prediction;
  const float* target;
  P* gradient;

  template <class At>
  KOKKOS_FORCEINLINE_FUNCTION auto operands(At i) const {
    return Operands<decltype(raw(prediction, i)), decltype(raw(target, i))>{raw(prediction, i),
                                                                            raw(target, i)};
  }
  template <class At, class In>
  KOKKOS_FORCEINLINE_FUNCTION void operator()(At i, const In& in) const {
    store(gradient, i, factor * (wide(in.a) - wide(in.b)));
  }
};

}  // namespace

void KokkosOps::run(const FillNormal& a) {
  for (std::size_t s = 0; s < a.keys.size(); ++s) {
    const std::int64_t count = a.offset[s + 1] - a.offset[s];
    launch_items("fill_normal", (count + 3) / 4,
                 NormalBlock{a.keys[s], count, a.out.as<float>() + a.offset[s]});
  }
}

void KokkosOps::run(const FlowMix& a) {
  with_storage(a.clean, a.noisy, [&](auto clean, auto noisy) {
    using C = std::remove_pointer_t<decltype(clean.data)>;
    using N = std::remove_pointer_t<decltype(noisy.data)>;
    for (std::size_t s = 0; s < a.sigma.size(); ++s) {
      const std::int64_t first = a.offset[s];
      const Mix<C, N> mix{a.sigma[s], clean.data + first, a.noise.as<float>() + first, noisy.data + first,
                          a.target.as<float>() + first};
      launch_packed_elements<pack_width>("flow_mix", a.offset[s + 1] - first,
                                         in_packs_of<pack_width>(mix.clean, mix.noise, mix.noisy, mix.target),
                                         mix);
    }
  });
}

void KokkosOps::run(const FlowLoss& a) {
  with_storage(a.prediction, [&](auto prediction) {
    using P = std::remove_pointer_t<decltype(prediction.data)>;
    for (std::size_t s = 0; s < a.weight.size(); ++s) {
      const Workspace::Scope scope(workspace());
      const std::int64_t first = a.offset[s];
      const std::int64_t count = a.offset[s + 1] - first;
      const P* const predicted = prediction.data + first;
      const float* const target = a.target.as<float>() + first;
      sum_elements(
          "flow_loss", workspace(), count, in_packs_of<sum_pack>(predicted, target),
          SquaredDifference<P>{predicted, target},
          WriteLoss{static_cast<double>(a.weight[s]), a.loss.as<float>() + s, a.raw.as<float>() + s});
      if (a.gradient) {
        P* const gradient = a.gradient.as<P>() + first;
        launch_packed_elements<pack_width>(
            "flow_loss_gradient", count, in_packs_of<pack_width>(predicted, target, gradient),
            LossGradient<P>{2.0F * a.weight[s] * a.scale, predicted, target, gradient});
      }
    }
  });
}

}  // namespace wan
