#include "sample/denoiser.hpp"

#include <algorithm>

#include "base/error.hpp"
#include "base/text.hpp"
#include "device/ops.hpp"
#include "device/ops/plan/plan_ops.hpp"

namespace wan {
namespace {

/// Text rows as model/dit/pack.hpp lays them out, on the device.
DeviceTensor text_rows(Device& device, const Pack& pack, const std::vector<const TextEmbedding*>& texts,
                       std::int64_t text_dim) {
  std::vector<float> rows(static_cast<std::size_t>(pack.text_rows() * text_dim));
  for (std::size_t s = 0; s < texts.size(); ++s) {
    const std::int64_t first = pack.text_offset()[s] * text_dim;
    std::copy_n(texts[s]->values.begin(), texts[s]->rows * text_dim, rows.begin() + first);
  }
  DeviceTensor out(device, DType::f32, {pack.text_rows(), text_dim});
  device.copy(out.view.data, rows.data(), out.view.bytes());
  device.synchronize();
  return out;
}

Tensor flat_part(const Tensor& flat, std::int64_t part, std::int64_t elements) {
  return {flat.as<float>() + part * elements, DType::f32, {elements}};
}

}  // namespace

Denoiser::Denoiser(Device& device, const Dit& dit, const DenoiseSettings& settings, Communicator branches)
    : device_(device), dit_(dit), settings_(settings), branches_(std::move(branches)) {
  if (branches_.size() > 2 || (branches_.size() == 2 && !guided())) {
    throw InternalError(cat("[denoiser] ", branches_.size(), " ranks for ", guided() ? 2 : 1, " branches"));
  }
}

std::vector<const TextEmbedding*> Denoiser::texts(const std::vector<DenoiseItem>& items) const {
  std::vector<const TextEmbedding*> out;
  for (int branch = 0; branch < 2; ++branch) {
    if (!computes(branch)) continue;
    for (const DenoiseItem& item : items) out.push_back(branch == 0 ? item.prompt : item.negative);
  }
  return out;
}

std::vector<PackSample> Denoiser::samples(const std::vector<DenoiseItem>& items) const {
  std::vector<PackSample> out;
  const std::vector<const TextEmbedding*> prompts = texts(items);
  for (std::size_t s = 0; s < prompts.size(); ++s) {
    out.push_back({items[s % items.size()].grid, 0.0F, prompts[s]->rows});
  }
  return out;
}

bool Denoiser::run(std::vector<DenoiseItem>& items, const Progress& progress, Dump* dump) const {
  const DitConfig& config = dit_.config();
  const SigmaGrid grid = sigma_grid(settings_.solver, settings_.source, settings_.steps, settings_.shift);
  const std::int64_t multiple = row_multiple(device_.kind());
  std::vector<PackSample> pack_samples = samples(items);
  const Pack shape(pack_samples, multiple);
  const PackCapacity capacity{shape.rows(), shape.text_rows(),
                              static_cast<std::int64_t>(pack_samples.size())};

  std::int64_t elements = 0;
  for (const DenoiseItem& item : items) elements += static_cast<std::int64_t>(item.latent.size());
  const std::int64_t own_branches = static_cast<std::int64_t>(pack_samples.size() / items.size());
  const std::int64_t all_branches = guided() ? 2 : 1;

  PlanOps plan;
  const DeviceBuffer memory(device_, dit_.predict_bytes(plan, capacity, multiple));
  Arena arena(memory.data(), memory.bytes());
  PackBuffers buffers(device_, capacity, multiple);
  const TextCache cache(device_, dit_.storage(), config.num_layers, shape.text_rows(), config.dim());
  {
    const DeviceTensor text = text_rows(device_, shape, texts(items), config.text_dim);
    const Arena::Scope scope(arena);
    dit_.fill_text_cache(Walk(device_, arena, {dump, nullptr}), buffers.load(shape), text.view, cache);
    device_.synchronize();
  }

  const DeviceTensor sample(device_, DType::f32, {elements});
  const DeviceTensor latents(device_, DType::f32, {own_branches * elements});
  const DeviceTensor velocity(device_, DType::f32, {all_branches * elements});
  std::vector<float> host(static_cast<std::size_t>(elements));
  auto place = host.begin();
  for (const DenoiseItem& item : items) place = std::copy(item.latent.begin(), item.latent.end(), place);
  device_.copy(sample.view.data, host.data(), sample.view.bytes());

  const std::unique_ptr<Solver> solver = make_solver(settings_.solver, grid, device_, elements);
  const bool split = branches_.size() == 2;
  const Tensor prediction = split ? flat_part(velocity.view, branches_.rank(), elements) : velocity.view;
  const Tensor positive = flat_part(velocity.view, 0, elements);
  const Tensor combined = flat_part(velocity.view, all_branches - 1, elements);
  for (std::int64_t i = 0; i < settings_.steps; ++i) {
    for (PackSample& one : pack_samples) one.timestep = grid.timestep[static_cast<std::size_t>(i)];
    const Pack pack(pack_samples, multiple);
    for (std::int64_t branch = 0; branch < own_branches; ++branch) {
      device_.copy(flat_part(latents.view, branch, elements).data, sample.view.data, sample.view.bytes());
    }
    const Arena::Scope scope(arena);
    dit_.predict(Walk(device_, arena, {i == 0 ? dump : nullptr, nullptr}), buffers.load(pack), latents.view,
                 cache, prediction);
    if (split) branches_.all_gather(prediction, velocity.view).wait();
    if (guided()) {
      const auto scale = static_cast<float>(settings_.guide_scale);
      device_.ops().axpby({scale, positive, 1.0F - scale, combined});
    }
    solver->step(i, combined, sample.view);
    const bool go_on = progress(i);
    if (!go_on && i + 1 < settings_.steps) return false;
  }

  device_.copy(host.data(), sample.view.data, sample.view.bytes());
  device_.synchronize();
  auto from = host.cbegin();
  for (DenoiseItem& item : items) {
    std::copy_n(from, item.latent.size(), item.latent.begin());
    from += static_cast<std::ptrdiff_t>(item.latent.size());
  }
  return true;
}

}  // namespace wan
