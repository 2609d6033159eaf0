#include <algorithm>
#include <cfloat>
#include <cmath>
#include <vector>

#include "device/ops/kokkos/element_sum.hpp"
#include "device/ops/kokkos/kokkos_ops.hpp"
#include "device/ops/kokkos/launch.hpp"
#include "device/ops/kokkos/storage.hpp"

namespace wan {
namespace {

using namespace kernels;  // NOLINT(google-build-using-namespace): a file of kernels

template <class P>
struct AdamWStep {
  const float* gradient;
  const float* gradient_scale;
  float* exp_avg;
  float* exp_avg_sq;
  float* master;
  P* parameter;
  float beta1;
  float beta2;
  float eps;
  float lr;
  float decay;
  float unbias1;  ///< 1 / (1 - beta1^t)
  float unbias2;

  template <class At>
  KOKKOS_FORCEINLINE_FUNCTION auto operands(At i) const {
    using Raw = decltype(raw(gradient, i));
    return Operands<Raw, Raw, Raw, Raw>{raw(gradient, i), raw(exp_avg, i), raw(exp_avg_sq, i),
                                        raw(master, i)};
  }
  template <class At, class In>
  KOKKOS_FORCEINLINE_FUNCTION void operator()(At i, const In& in) const {
    if (*gradient_scale == 0) return;
    const auto g = *gradient_scale * wide(in.a);
    const auto m = beta1 * wide(in.b) + (1.0F - beta1) * g;
    const auto v = beta2 * wide(in.c) + (1.0F - beta2) * g * g;
    const auto before = wide(in.d);
    const auto root = each_part(v * unbias2, [](float square) { return std::sqrt(square); });
    const auto after = before - lr * (m * unbias1 / (root + eps) + decay * before);
    store(exp_avg, i, m);
    store(exp_avg_sq, i, v);
    store(master, i, after);
    store(parameter, i, after);
  }
};

/// The step on a range, of which `value` is the decay.
template <class P>
struct AdamWOfRange {
  AdamWStep<P> whole;

  KOKKOS_FORCEINLINE_FUNCTION AdamWStep<P> operator()(const ElementRange& range) const {
    AdamWStep<P> step = whole;
    step.gradient += range.first;
    step.exp_avg += range.first;
    step.exp_avg_sq += range.first;
    step.master += range.first;
    step.parameter += range.first;
    step.decay = range.value;
    return step;
  }
};

/// All elements in turn: those that decay, and those between.
std::vector<ElementRange> ranges_of(const AdamW& a) {
  std::vector<ElementRange> out;
  std::int64_t done = 0;
  for (const auto& [first, last] : a.decayed) {
    out.push_back({done, first, 0});
    out.push_back({first, last, a.weight_decay});
    done = last;
  }
  out.push_back({done, a.gradient.elements(), 0});
  return out;
}

struct Square {
  const float* x;

  template <class At>
  KOKKOS_FORCEINLINE_FUNCTION double operator()(At i) const {
    const auto values = load(x, i);
    return add_parts(values, values, [](float value, float) {
      return static_cast<double>(value) * static_cast<double>(value);
    });
  }
};

struct AddTo {
  double* out;

  KOKKOS_FUNCTION void operator()(double sum) const { *out += sum; }
};

struct Clip {
  const double* sum_squares;
  std::int64_t sums;
  float max_norm;
  float* scale;
  float* norm;

  KOKKOS_FUNCTION void operator()(std::int64_t) const {
    const double total = std::sqrt(*sum_squares);
    const double factor = static_cast<double>(max_norm) / (total + 1e-6);
    *norm = static_cast<float>(total);
    *scale = max_norm <= 0 || factor > 1 ? 1.0F : static_cast<float>(factor);
    for (std::int64_t i = 0; i < sums; ++i) {
      // False for NaN too.
      const bool finite = std::sqrt(sum_squares[i]) <= static_cast<double>(FLT_MAX);
      if (!finite) *scale = 0;
    }
  }
};

}  // namespace

void KokkosOps::run(const AdamW& a) {
  with_storage(a.parameter, [&](auto parameter) {
    using P = std::remove_pointer_t<decltype(parameter.data)>;
    const double unbias1 = 1 - std::pow(static_cast<double>(a.beta1), static_cast<double>(a.step));
    const double unbias2 = 1 - std::pow(static_cast<double>(a.beta2), static_cast<double>(a.step));
    const AdamWStep<P> step{a.gradient.as<float>(),
                            a.gradient_scale.as<float>(),
                            a.exp_avg.as<float>(),
                            a.exp_avg_sq.as<float>(),
                            a.master.as<float>(),
                            a.parameter.as<P>(),
                            a.beta1,
                            a.beta2,
                            a.eps,
                            a.lr,
                            0,
                            static_cast<float>(1 / unbias1),
                            static_cast<float>(1 / unbias2)};
    const std::vector<ElementRange> ranges = ranges_of(a);
    constexpr int width = 4;  // 16 bytes of fp32
    const bool packs =
        in_packs_of<width>(step.gradient, step.exp_avg, step.exp_avg_sq, step.master, step.parameter) &&
        std::all_of(ranges.begin(), ranges.end(),
                    [](const ElementRange& range) { return range.first % width == 0; });
    launch_ranges<width>("adamw", ranges, packs, AdamWOfRange<P>{step});
  });
}

void KokkosOps::run(const SumSquares& a) {
  const Workspace::Scope scope(workspace());
  const float* const x = a.x.as<float>();
  sum_elements("sum_squares", workspace(), a.x.elements(), in_packs_of<sum_pack>(x), Square{x},
               AddTo{a.out.as<double>()});
}

void KokkosOps::run(const ClipFactor& a) {
  launch_items("clip_factor", 1,
               Clip{a.sum_squares.as<double>(), a.sum_squares.elements(), a.max_norm, a.scale.as<float>(),
                    a.norm.as<float>()});
}

}  // namespace wan
