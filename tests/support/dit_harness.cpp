#include "support/dit_harness.hpp"

#include <algorithm>
#include <memory>

#include "device/ops/plan/plan_ops.hpp"
#include "support/tensors.hpp"

namespace wan::test {

/// One pack on the device, with an arena of exactly the planned size.
struct DitHarness::Loaded {
  Loaded(Device& device, const Dit& dit, const std::vector<DitSample>& samples, bool train,
         const RecomputePlan& recompute)
      : pack(describe(samples), row_multiple(device.kind())),
        capacity{pack.tokens(), pack.text_offset().back(), static_cast<std::int64_t>(samples.size())},
        buffers(device, capacity, row_multiple(device.kind())),
        view(buffers.load(pack)) {
    PlanOps plan;
    const std::int64_t multiple = row_multiple(device.kind());
    const std::int64_t bytes = train ? dit.train_bytes(plan, capacity, multiple, recompute)
                                     : dit.predict_bytes(plan, capacity, multiple);
    memory = DeviceBuffer(device, bytes);
    arena = std::make_unique<Arena>(memory.data(), bytes);

    const DitConfig& config = dit.config();
    std::vector<float> all_latents;
    std::vector<float> all_text(static_cast<std::size_t>(pack.text_rows() * config.text_dim), 0.0F);
    for (std::size_t s = 0; s < samples.size(); ++s) {
      all_latents.insert(all_latents.end(), samples[s].latent.begin(), samples[s].latent.end());
      std::copy(samples[s].text.begin(), samples[s].text.end(),
                all_text.begin() + pack.text_offset()[s] * config.text_dim);
    }
    latents = Owned(device, DType::f32, {pack.tokens() * 4 * config.in_channels}, all_latents);
    text = Owned(device, dit.storage(), {pack.text_rows(), config.text_dim}, all_text);
    prediction = zeros(device, DType::f32, {pack.tokens() * 4 * config.out_channels});
  }

  static std::vector<PackSample> describe(const std::vector<DitSample>& samples) {
    std::vector<PackSample> out;
    for (const DitSample& sample : samples) out.push_back({sample.grid, sample.timestep, sample.text_length});
    return out;
  }

  Pack pack;
  PackCapacity capacity;
  PackBuffers buffers;
  PackView view;
  DeviceBuffer memory;
  std::unique_ptr<Arena> arena;
  Owned latents;
  Owned text;
  Owned prediction;
};

DitHarness::DitHarness(Device& device, const DitConfig& config, DType storage)
    : device_(device), dit_(config, storage) {
  dit_.place(device_, true);
}

void DitHarness::initialise(std::uint64_t seed) {
  dit_.parameters().initialise(device_, seed);
}

void DitHarness::perturb(std::uint64_t seed, float deviation) {
  for (const ParameterUnit& unit : dit_.parameters().units()) {
    for (std::size_t i = 0; i < unit.parameters().size(); ++i) {
      const Tensor weight = unit.weight(static_cast<int>(i));
      std::vector<float> values = values_of(device_, weight);
      const std::vector<float> noise = normals(++seed, weight.elements(), deviation);
      std::transform(values.begin(), values.end(), noise.begin(), values.begin(), std::plus<>());
      Parameters::upload(device_, weight, values.data());
    }
  }
}

DitHarness::Result DitHarness::train(const std::vector<DitSample>& samples, const std::vector<float>& target,
                                     double scale, const Way& way) {
  Loaded loaded(device_, dit_, samples, true, way.recompute);
  const Walk walk(device_, *loaded.arena, way.observers);
  DitSaved saved;
  saved.recompute = way.recompute;
  dit_.parameters().zero_gradients(device_);
  const std::int64_t layers = dit_.config().num_layers;
  if (way.by_parts) {
    dit_.forward_embed(walk, loaded.view, loaded.latents, loaded.text, saved);
    for (std::int64_t layer = 0; layer < layers; ++layer) {
      dit_.forward_blocks(walk, loaded.view, layer, layer + 1, saved);
    }
    dit_.forward_head(walk, loaded.view, saved, loaded.prediction);
  } else {
    dit_.forward(walk, loaded.view, loaded.latents, loaded.text, saved, loaded.prediction);
  }
  Result result;
  result.prediction = loaded.prediction.values();

  std::vector<float> difference(target.size());
  std::transform(target.begin(), target.end(), result.prediction.begin(), difference.begin(),
                 [scale](float wanted, float got) { return static_cast<float>(2 * scale) * (got - wanted); });
  const Owned dprediction(device_, DType::f32, {loaded.prediction.view().elements()}, difference);
  if (way.by_parts) {
    const DitGradient gradient = dit_.begin_backward(walk, saved);
    dit_.backward_head(walk, loaded.view, saved, dprediction, gradient, true);
    for (std::int64_t layer = layers; layer-- > 0;) {
      dit_.backward_blocks(walk, loaded.view, layer, layer + 1, saved, gradient, true);
    }
    dit_.backward_embed(walk, loaded.view, saved, gradient, true);
  } else {
    dit_.backward(walk, loaded.view, saved, dprediction);
  }
  for (const ParameterUnit& unit : dit_.parameters().units()) {
    for (std::size_t i = 0; i < unit.parameters().size(); ++i) {
      result.gradient[unit.parameters()[i].spec.name] =
          values_of(device_, unit.gradient(static_cast<int>(i)));
    }
  }
  return result;
}

std::vector<float> DitHarness::predict(const std::vector<DitSample>& samples, bool cached) {
  Loaded loaded(device_, dit_, samples, false, Recompute::none);
  const Walk walk(device_, *loaded.arena);
  if (cached) {
    const TextCache cache(device_, dit_.storage(), dit_.config().num_layers, loaded.pack.text_rows(),
                          dit_.config().dim());
    dit_.fill_text_cache(walk, loaded.view, loaded.text, cache);
    dit_.predict(walk, loaded.view, loaded.latents, cache, loaded.prediction);
    return loaded.prediction.values();
  }
  dit_.predict(walk, loaded.view, loaded.latents, loaded.text, loaded.prediction);
  return loaded.prediction.values();
}

std::vector<float> DitHarness::predict_at_once(const std::vector<DitSample>& samples, bool in_two) {
  Loaded loaded(device_, dit_, samples, false, Recompute::none);
  const Walk walk(device_, *loaded.arena);
  const std::int64_t rows = loaded.pack.rows();
  const std::int64_t dim = dit_.config().dim();
  const TextCache cache(device_, dit_.storage(), dit_.config().num_layers, loaded.pack.text_rows(), dim);
  dit_.fill_text_cache(walk, loaded.view, loaded.text, cache);
  const TimeCache times(device_, 1, dim);
  dit_.fill_time_cache(walk, Owned(device_, DType::f32, {1}, {samples.front().timestep}), times);
  const Owned one_time =
      Owned::integers(device_, {rows}, std::vector<std::int32_t>(static_cast<std::size_t>(rows)));
  PackView view = loaded.view;
  view.row_index = one_time;
  if (in_two) {
    const Owned x = zeros(device_, dit_.storage(), {rows, dim});
    const Owned y = zeros(device_, dit_.storage(), {rows, dim});
    dit_.predict_start(walk, view, loaded.latents, times, 0, {x, y});
    // Twice: the first must leave the start as it was.
    for (int i = 0; i < 2; ++i) dit_.predict_rest(walk, view, {x, y}, cache, times, 0, loaded.prediction);
  } else {
    dit_.predict(walk, view, loaded.latents, cache, times, 0, loaded.prediction);
  }
  return loaded.prediction.values();
}

std::vector<float> whole_gradient(const DitHarness::Result& result) {
  std::vector<float> out;
  for (const auto& [name, values] : result.gradient) out.insert(out.end(), values.begin(), values.end());
  return out;
}

}  // namespace wan::test
