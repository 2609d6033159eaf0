#include "device/ops/ref/dense.hpp"
#include "device/ops/ref/ref_ops.hpp"

namespace wan {

using ref::Dense;

void RefOps::run(const FillNormal& a) {
  Dense out(a.out.rows(), a.out.cols());
  std::vector<float> normals(out.value.size());
  for (std::size_t s = 0; s < a.keys.size(); ++s) {
    wan::fill_normal(a.keys[s], 0, a.offset[s + 1] - a.offset[s], normals.data() + a.offset[s]);
  }
  for (std::size_t i = 0; i < normals.size(); ++i) out.value[i] = static_cast<double>(normals[i]);
  ref::write(a.out, out);
}

void RefOps::run(const FlowMix& a) {
  const Dense clean = ref::read(a.clean);
  const Dense noise = ref::read(a.noise);
  Dense noisy(a.noisy.rows(), a.noisy.cols());
  Dense target(a.target.rows(), a.target.cols());
  for (std::size_t s = 0; s < a.sigma.size(); ++s) {
    const auto sigma = static_cast<double>(a.sigma[s]);
    for (std::int64_t i = a.offset[s]; i < a.offset[s + 1]; ++i) {
      noisy[i] = (1 - sigma) * clean[i] + sigma * noise[i];
      target[i] = noise[i] - clean[i];
    }
  }
  ref::write(a.noisy, noisy);
  ref::write(a.target, target);
}

void RefOps::run(const FlowLoss& a) {
  const Dense prediction = ref::read(a.prediction);
  const Dense target = ref::read(a.target);
  Dense loss(a.loss.rows(), a.loss.cols());
  Dense raw(a.raw.rows(), a.raw.cols());
  Dense gradient(a.prediction.rows(), a.prediction.cols());
  for (std::size_t s = 0; s < a.weight.size(); ++s) {
    const auto weight = static_cast<double>(a.weight[s]);
    for (std::int64_t i = a.offset[s]; i < a.offset[s + 1]; ++i) {
      const double difference = prediction[i] - target[i];
      raw[static_cast<std::int64_t>(s)] += difference * difference;
      gradient[i] = 2 * weight * static_cast<double>(a.scale) * difference;
    }
    loss[static_cast<std::int64_t>(s)] = weight * raw[static_cast<std::int64_t>(s)];
  }
  ref::write(a.loss, loss);
  ref::write(a.raw, raw);
  if (a.gradient) ref::write(a.gradient, gradient);
}

}  // namespace wan
