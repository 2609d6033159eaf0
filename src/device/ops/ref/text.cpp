#include <algorithm>
#include <cmath>
#include <vector>

#include "device/ops/ref/activation.hpp"
#include "device/ops/ref/dense.hpp"
#include "device/ops/ref/ref_text_ops.hpp"

namespace wan {

using ref::Dense;

void RefTextOps::run(const GatherRows& a) {
  const Dense table = ref::read(a.table);
  Dense y(a.y.rows(), a.y.cols());
  for (std::int64_t n = 0; n < y.rows; ++n) {
    const std::int64_t id = a.id.as<std::int32_t>()[n];
    for (std::int64_t c = 0; c < y.cols; ++c) y(n, c) = table(id, c);
  }
  ref::write(a.y, y);
}

void RefTextOps::run(const BiasedAttention& a) {
  const Dense q = ref::read(a.q);
  const Dense k = ref::read(a.k);
  const Dense v = ref::read(a.v);
  const Dense bias = ref::read(a.bias);
  const std::vector<std::int64_t>& offset = a.segments->query;
  Dense o(q.rows, q.cols);
  for (std::size_t s = 0; s + 1 < offset.size(); ++s) {
    const std::int64_t begin = offset[s];
    std::vector<double> weight(static_cast<std::size_t>(offset[s + 1] - begin));
    for (std::int64_t head = 0; head < q.cols / a.head_dim; ++head) {
      const std::int64_t first = head * a.head_dim;
      for (std::int64_t i = 0; i < static_cast<std::int64_t>(weight.size()); ++i) {
        for (std::int64_t j = 0; j < static_cast<std::int64_t>(weight.size()); ++j) {
          double logit = bias(a.buckets.bucket(j - i), head);
          for (std::int64_t d = first; d < first + a.head_dim; ++d)
            logit += q(begin + i, d) * k(begin + j, d);
          weight[static_cast<std::size_t>(j)] = logit;
        }
        const double highest = *std::max_element(weight.begin(), weight.end());
        double sum = 0;
        for (double& w : weight) sum += w = std::exp(w - highest);
        for (std::int64_t j = 0; j < static_cast<std::int64_t>(weight.size()); ++j) {
          const double share = weight[static_cast<std::size_t>(j)] / sum;
          for (std::int64_t d = first; d < first + a.head_dim; ++d)
            o(begin + i, d) += share * v(begin + j, d);
        }
      }
    }
  }
  ref::write(a.o, o);
}

void RefTextOps::run(const GatedGelu& a) {
  const Dense gate = ref::read(a.gate);
  Dense y = ref::read(a.value);
  for (std::size_t i = 0; i < y.value.size(); ++i)
    y.value[i] *= ref::activate(Activation::gelu_tanh, gate.value[i]);
  ref::write(a.y, y);
}

}  // namespace wan
