#include "sample/denoiser.hpp"

#include <algorithm>
#include <chrono>
#include <utility>

#include "base/error.hpp"
#include "base/log.hpp"
#include "base/text.hpp"
#include "device/ops.hpp"
#include "device/ops/plan/plan_ops.hpp"
#include "sample/shared_start.hpp"

namespace wan {
namespace {

/// Of a GPU's free memory, for what libraries take in the first step.
constexpr double most_of_free = 0.9;

using Clock = std::chrono::steady_clock;

Tensor flat_part(const Tensor& flat, std::int64_t part, std::int64_t elements) {
  return {flat.as<float>() + part * elements, DType::f32, {elements}};
}

const TextEmbedding* text_of(const DenoiseItem& item, int branch) {
  return branch == 0 ? item.prompt : item.negative;
}

std::vector<PackSample> samples_of(const std::vector<DenoiseItem>& items, const std::vector<int>& branches) {
  std::vector<PackSample> out;
  for (const int branch : branches) {
    for (const DenoiseItem& item : items) out.push_back({item.grid, 0.0F, text_of(item, branch)->rows});
  }
  return out;
}

/// All items' latents, one after the other.
std::vector<float> latents_of(const std::vector<DenoiseItem>& items) {
  std::vector<float> out;
  for (const DenoiseItem& item : items) out.insert(out.end(), item.latent.begin(), item.latent.end());
  return out;
}

void give_latents(const std::vector<float>& from, std::vector<DenoiseItem>& items) {
  auto place = from.begin();
  for (DenoiseItem& item : items) {
    std::copy_n(place, item.latent.size(), item.latent.begin());
    place += static_cast<std::ptrdiff_t>(item.latent.size());
  }
}

}  // namespace

Denoiser::Denoiser(Device& device, const Dit& dit, const DenoiseSettings& settings, Communicator branches)
    : device_(device), dit_(dit), settings_(settings), branches_(std::move(branches)) {
  if (branches_.size() > 2 || (branches_.size() == 2 && !guided())) {
    throw InternalError(cat("[denoiser] ", branches_.size(), " ranks for ", guided() ? 2 : 1, " branches"));
  }
}

std::vector<std::vector<int>> Denoiser::branches_of(int way) const {
  std::vector<std::vector<int>> passes;
  for (int branch = 0; branch < 2; ++branch) {
    if (!computes(branch)) continue;
    if (passes.empty() || way == GuidanceRace::sequential) passes.emplace_back();
    passes.back().push_back(branch);
  }
  return passes;
}

Denoiser::Passes Denoiser::make_passes(const std::vector<DenoiseItem>& items, int way) const {
  Passes passes;
  for (const std::vector<int>& branches : branches_of(way)) {
    std::vector<const TextEmbedding*> texts;
    for (const int branch : branches) {
      for (const DenoiseItem& item : items) texts.push_back(text_of(item, branch));
    }
    passes.push_back(std::make_unique<BranchPass>(device_, dit_, samples_of(items, branches), texts));
  }
  return passes;
}

Denoiser::Needs Denoiser::needs(const std::vector<DenoiseItem>& items, int way) const {
  Needs out;
  for (const std::vector<int>& branches : branches_of(way)) {
    const std::vector<PackSample> samples = samples_of(items, branches);
    const Pack pack(samples, row_multiple(device_.kind()));
    out.arena_bytes = std::max(out.arena_bytes, BranchPass::arena_bytes(device_, dit_, samples));
    out.rows = std::max(out.rows, pack.rows());
    out.text_cache_bytes +=
        TextCache::bytes(dit_.storage(), dit_.config().num_layers, pack.text_rows(), dit_.config().dim());
  }
  return out;
}

GuidanceRace Denoiser::begin_race(const std::vector<DenoiseItem>& items) const {
  if (!both_here() || settings_.branches == GuidanceBranches::batched)
    return GuidanceRace(GuidanceRace::batched);
  if (settings_.branches == GuidanceBranches::sequential) return GuidanceRace(GuidanceRace::sequential);
  if (device_.kind() == DeviceKind::host) return GuidanceRace(GuidanceRace::batched);
  std::int64_t tokens = 0;
  for (const DenoiseItem& item : items) tokens += 2 * item.grid.tokens();
  if (tokens > batched_at_most_tokens) return GuidanceRace(GuidanceRace::sequential);
  const std::optional<DeviceMemory> memory = device_.memory();
  const Needs batched = needs(items, GuidanceRace::batched);
  const Needs sequential = needs(items, GuidanceRace::sequential);
  // Until the race is decided, the texts of both ways are there.
  const auto needed = static_cast<double>(batched.arena_bytes + SharedStart::bytes(dit_, batched.rows) +
                                          batched.text_cache_bytes + sequential.text_cache_bytes);
  if (memory && needed > most_of_free * static_cast<double>(memory->free)) {
    return GuidanceRace(GuidanceRace::sequential);
  }
  if (settings_.steps < GuidanceRace::least_steps) return GuidanceRace(GuidanceRace::batched);
  return GuidanceRace([this] { device_.synchronize(); });
}

DenoiseReport Denoiser::run(std::vector<DenoiseItem>& items, const Progress& progress, Dump* dump) const {
  const SigmaGrid grid = sigma_grid(settings_.solver, settings_.source, settings_.steps, settings_.shift);
  GuidanceRace race = begin_race(items);
  const bool open = !race.decided();
  std::vector<float> host = latents_of(items);
  const auto elements = static_cast<std::int64_t>(host.size());

  PlanOps plan;
  std::int64_t bytes = dit_.time_cache_bytes(plan, settings_.steps);
  std::int64_t rows = 0;
  std::vector<Passes> ways(2);
  for (const int way : {GuidanceRace::batched, GuidanceRace::sequential}) {
    if (!open && race.winner() != way) continue;
    const Needs of_way = needs(items, way);
    bytes = std::max(bytes, of_way.arena_bytes);
    rows = std::max(rows, of_way.rows);
  }
  const DeviceBuffer memory(device_, bytes);
  Arena arena(memory.data(), memory.bytes());
  for (const int way : {GuidanceRace::batched, GuidanceRace::sequential}) {
    if (open || race.winner() == way) ways[static_cast<std::size_t>(way)] = make_passes(items, way);
  }
  std::unique_ptr<SharedStart> start;
  if (both_here()) start = std::make_unique<SharedStart>(device_, dit_, samples_of(items, {0}), rows);
  Dump* first_dump = dump;
  for (const Passes& passes : ways) {
    for (const auto& pass : passes) {
      pass->embed_texts(Walk(device_, arena, {std::exchange(first_dump, nullptr), nullptr}));
    }
  }
  const TimeCache times(device_, settings_.steps, dit_.config().dim());
  {
    const DeviceTensor timesteps(device_, DType::f32, {settings_.steps});
    device_.copy(timesteps.view.data, grid.timestep.data(), timesteps.view.bytes());
    dit_.fill_time_cache(Walk(device_, arena, {dump, nullptr}), timesteps.view, times);
    device_.synchronize();
  }

  const std::int64_t all_branches = guided() ? 2 : 1;
  const bool split = branches_.size() == 2;
  const DeviceTensor sample(device_, DType::f32, {elements});
  const DeviceTensor velocity(device_, DType::f32, {all_branches * elements});
  device_.copy(sample.view.data, host.data(), sample.view.bytes());
  const std::unique_ptr<Solver> solver = make_solver(settings_.solver, grid, device_, elements);
  const Tensor positive = flat_part(velocity.view, 0, elements);
  const Tensor combined = flat_part(velocity.view, all_branches - 1, elements);
  device_.synchronize();

  const Clock::time_point begin = Clock::now();
  DenoiseReport report;
  int way = GuidanceRace::batched;
  for (std::int64_t i = 0; i < settings_.steps; ++i) {
    way = race.begin_step(i);
    const Passes& passes = ways[static_cast<std::size_t>(way)];
    Dump* step_dump = i == 0 ? dump : nullptr;
    if (start) {
      const std::int64_t branches = passes.size() == 1 ? 2 : 1;
      start->compute(Walk(device_, arena, {step_dump, nullptr}), sample.view, times, i, branches);
      for (std::size_t p = 0; p < passes.size(); ++p) {
        const Walk walk(device_, arena, {std::exchange(step_dump, nullptr), nullptr});
        passes[p]->predict(walk, *start, times, i,
                           flat_part(velocity.view, static_cast<std::int64_t>(p), branches * elements));
      }
    } else {
      passes.front()->predict(Walk(device_, arena, {step_dump, nullptr}), sample.view, times, i,
                              flat_part(velocity.view, split ? branches_.rank() : 0, elements));
    }
    if (split)
      branches_.all_gather(flat_part(velocity.view, branches_.rank(), elements), velocity.view).wait();
    if (guided()) {
      const auto scale = static_cast<float>(settings_.guide_scale);
      device_.ops().axpby({scale, positive, 1.0F - scale, combined});
    }
    solver->step(i, combined, sample.view);
    if (race.end_step(i)) {
      log::info(cat("guidance: both branches together take ", race.milliseconds(GuidanceRace::batched),
                    " ms a step, one after the other ", race.milliseconds(GuidanceRace::sequential), " ms"));
      ways[static_cast<std::size_t>(1 - race.winner())].clear();
    }
    const bool go_on = progress(i);
    if (!go_on && i + 1 < settings_.steps) {
      device_.synchronize();
      report.whole = false;
      return report;
    }
  }

  device_.copy(host.data(), sample.view.data, sample.view.bytes());
  device_.synchronize();
  report.milliseconds = std::chrono::duration<double, std::milli>(Clock::now() - begin).count();
  if (guided() && !split) report.branches = way == GuidanceRace::batched ? "batched" : "sequential";
  give_latents(host, items);
  return report;
}

}  // namespace wan
