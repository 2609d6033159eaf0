#include "sample/sample_memory.hpp"

#include <algorithm>
#include <cstdio>

#include "device/ops/plan/plan_ops.hpp"
#include "model/dit/dit.hpp"
#include "model/library_memory.hpp"
#include "model/text/umt5_encoder.hpp"
#include "model/vae/tile_blender.hpp"
#include "model/vae/vae.hpp"
#include "sample/denoiser.hpp"
#include "sample/shared_start.hpp"
#include "weights/prompt_encoder.hpp"

namespace wan {
namespace {

StageMemory texts(const SampledStages& stages) {
  const std::vector<std::int64_t> lengths(texts_at_once, DitConfig::text_slots);
  const Umt5Memory memory = plan_umt5(stages.text_encoder, stages.encoder_storage, lengths);
  return {"texts",
          {{"text encoder", memory.weights},
           {"activations", memory.activations},
           {"libraries", product_library_bytes}}};
}

std::int64_t weight_bytes(const Dit& dit) {
  std::int64_t bytes = 0;
  for (const ParameterUnit& unit : dit.parameters().units()) bytes += unit.weight_bytes();
  return bytes;
}

StageMemory denoising(const SampledStages& stages, const Dit& dit, const Grid& grid) {
  const std::int64_t multiple = row_multiple(DeviceKind::cuda);
  const std::int64_t branches = stages.guided ? 2 : 1;
  const bool together =
      !stages.guided || stages.branches == GuidanceBranches::batched ||
      (stages.branches == GuidanceBranches::automatic && branches * grid.tokens() <= batched_at_most_tokens);
  const std::vector<PackSample> samples(static_cast<std::size_t>(together ? branches : 1),
                                        {grid, 0, DitConfig::text_slots});
  const Pack pack(samples, multiple);
  PlanOps plan;
  const std::int64_t rows = pack.rows();
  const std::int64_t passes = together ? 1 : branches;
  const DitConfig& config = dit.config();
  // While it is open which way is faster, both have theirs.
  const std::int64_t caches =
      together && stages.guided && stages.branches == GuidanceBranches::automatic ? 2 : passes;
  const std::int64_t keys =
      caches * TextCache::bytes(dit.storage(), config.num_layers, pack.text_rows(), config.dim());
  const std::int64_t times = stages.steps * 7 * config.dim() * bytes_of(DType::f32);
  // The sample, UniPC's four and the branches' velocities.
  const std::int64_t states = 5 + branches;
  const std::int64_t latents = states * grid.tokens() * 4 * config.in_channels * bytes_of(DType::f32);
  // Row index and position of each token, and the index that replaces it.
  const std::int64_t tables = passes * rows * 5 * bytes_of(DType::i32);
  StageMemory out{"denoising",
                  {{"transformer", weight_bytes(dit)},
                   {"activations",
                    dit.predict_bytes(
                        plan, {rows, pack.text_rows(), static_cast<std::int64_t>(samples.size())}, multiple)},
                   {"text keys", keys},
                   {"latents, times", latents + times + tables},
                   {"libraries", product_library_bytes}}};
  if (stages.guided) out.kinds.emplace_back("common start", SharedStart::bytes(dit, rows));
  return out;
}

std::int64_t decoder_activations(const SampledStages& stages, std::int64_t height, std::int64_t width) {
  const VaeGeometry geometry = checked_geometry(stages.vae, {height, width, 0}, DeviceKind::cuda);
  return plan_decode(stages.vae, stages.encoder_storage, geometry).memory.total();
}

/// Of whole frames, or of the sizes that tiles have.
std::int64_t decoding_activations(const SampledStages& stages, const FrameSize& size) {
  const VaeTiling& tiling = stages.tiling;
  if (!tiling.cuts(size.height, size.width)) return decoder_activations(stages, size.height, size.width);
  const auto sizes =
      tile_extents(tile_spans(size.height, tiling.tile_sample_min_height, tiling.tile_sample_stride_height),
                   tile_spans(size.width, tiling.tile_sample_min_width, tiling.tile_sample_stride_width));
  std::int64_t sum = 0;
  for (const auto& [height, width] : sizes) sum += decoder_activations(stages, height, width);
  return sum;
}

}  // namespace

std::int64_t StageMemory::total() const {
  std::int64_t sum = 0;
  for (const auto& [kind, bytes] : kinds) sum += bytes;
  return sum;
}

std::int64_t peak(const std::vector<StageMemory>& stages) {
  std::int64_t most = 0;
  for (const StageMemory& stage : stages) most = std::max(most, stage.total());
  return most;
}

std::vector<StageMemory> plan_sampling(const SampledStages& stages, const FrameSize& size,
                                       std::int64_t frames) {
  const Dit dit(stages.transformer, stages.storage);
  const std::int64_t patch = 2 * stages.vae.spatial_factor();
  const Grid grid{stages.vae.latent_frames(frames), size.height / patch, size.width / patch};
  std::vector<StageMemory> out = {texts(stages), denoising(stages, dit, grid)};
  const std::int64_t decoder =
      weight_elements(stages.vae, VaeParts::decoder) * bytes_of(stages.encoder_storage);
  out.back().kinds.insert(out.back().kinds.begin() + 1, {"VAE decoder", decoder});
  StageMemory decoding{"decoding", {}};
  if (stages.many) decoding.kinds.emplace_back("transformer", weight_bytes(dit));
  decoding.kinds.emplace_back("VAE decoder", decoder);
  decoding.kinds.emplace_back("activations", decoding_activations(stages, size));
  decoding.kinds.emplace_back("libraries", product_library_bytes + convolution_library_bytes);
  out.push_back(std::move(decoding));
  return out;
}

std::string to_text(const std::vector<StageMemory>& stages) {
  std::string out;
  const auto line = [&](const char* stage, const char* kind, std::int64_t bytes) {
    char text[128];
    std::snprintf(text, sizeof text, "%-10s %-15s %8.2f GiB\n", stage, kind,
                  static_cast<double>(bytes) / (1024.0 * 1024 * 1024));
    out += text;
  };
  for (const StageMemory& stage : stages) {
    for (const auto& [kind, bytes] : stage.kinds) line(stage.stage.c_str(), kind.c_str(), bytes);
    line(stage.stage.c_str(), "in all", stage.total());
  }
  line("peak", "", peak(stages));
  return out;
}

}  // namespace wan
