#include "sample/branch_pass.hpp"

#include <algorithm>
#include <utility>

#include "data/source.hpp"
#include "device/ops/plan/plan_ops.hpp"

namespace wan {

std::int64_t BranchPass::arena_bytes(const Device& device, const Dit& dit,
                                     const std::vector<PackSample>& samples) {
  const std::int64_t multiple = row_multiple(device.kind());
  PlanOps plan;
  return dit.predict_bytes(plan, capacity_of(Pack(samples, multiple)), multiple);
}

BranchPass::BranchPass(Device& device, const Dit& dit, std::vector<PackSample> samples,
                       const std::vector<const TextEmbedding*>& texts)
    : device_(device),
      dit_(dit),
      texts_(texts),
      pack_(device, std::move(samples)),
      cache_(device, dit.storage(), dit.config().num_layers, pack_.pack().text_rows(), dit.config().dim()) {}

void BranchPass::embed_texts(const Walk& walk) {
  const std::int64_t width = dit_.config().text_dim;
  const Pack& pack = pack_.pack();
  std::vector<float> rows(static_cast<std::size_t>(pack.text_rows() * width));
  for (std::size_t s = 0; s < texts_.size(); ++s) {
    std::copy_n(texts_[s]->values.begin(), texts_[s]->rows * width,
                rows.begin() + pack.text_offset()[s] * width);
  }
  const DeviceTensor text(device_, DType::f32, {pack.text_rows(), width});
  device_.copy(text.view.data, rows.data(), text.view.bytes());
  const Arena::Scope scope(walk.arena());
  dit_.fill_text_cache(walk, pack_.view(), text.view, cache_);
  device_.synchronize();
}

void BranchPass::predict(const Walk& walk, const Tensor& latents, const TimeCache& times, std::int64_t step,
                         const Tensor& prediction) const {
  const Arena::Scope scope(walk.arena());
  dit_.predict(walk, pack_.view(), latents, cache_, times, step, prediction);
}

void BranchPass::predict(const Walk& walk, const SharedStart& start, const TimeCache& times,
                         std::int64_t step, const Tensor& prediction) const {
  const Arena::Scope scope(walk.arena());
  dit_.predict_rest(walk, pack_.view(), start.of(pack_.pack().rows()), cache_, times, step, prediction);
}

}  // namespace wan
