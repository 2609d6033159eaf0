#include "sample/branch_pass.hpp"

#include <algorithm>
#include <utility>

#include "data/source.hpp"
#include "device/ops/plan/plan_ops.hpp"

namespace wan {
namespace {

PackCapacity capacity_of(const Pack& pack) {
  return {pack.rows(), pack.text_rows(), static_cast<std::int64_t>(pack.samples().size())};
}

}  // namespace

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
      pack_(std::move(samples), row_multiple(device.kind())),
      buffers_(device, capacity_of(pack_), row_multiple(device.kind())),
      one_time_(device, DType::i32, {pack_.rows()}),
      view_(buffers_.load(pack_)),
      cache_(device, dit.storage(), dit.config().num_layers, pack_.text_rows(), dit.config().dim()) {
  device.zero(one_time_.view.data, one_time_.view.bytes());
  view_.row_index = one_time_.view;
}

void BranchPass::embed_texts(const Walk& walk) {
  const std::int64_t width = dit_.config().text_dim;
  std::vector<float> rows(static_cast<std::size_t>(pack_.text_rows() * width));
  for (std::size_t s = 0; s < texts_.size(); ++s) {
    std::copy_n(texts_[s]->values.begin(), texts_[s]->rows * width,
                rows.begin() + pack_.text_offset()[s] * width);
  }
  const DeviceTensor text(device_, DType::f32, {pack_.text_rows(), width});
  device_.copy(text.view.data, rows.data(), text.view.bytes());
  const Arena::Scope scope(walk.arena());
  dit_.fill_text_cache(walk, view_, text.view, cache_);
  device_.synchronize();
}

void BranchPass::predict(const Walk& walk, const Tensor& latents, const TimeCache& times, std::int64_t step,
                         const Tensor& prediction) const {
  const Arena::Scope scope(walk.arena());
  dit_.predict(walk, view_, latents, cache_, times, step, prediction);
}

}  // namespace wan
