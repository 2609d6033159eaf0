#include "train/flow_step.hpp"

#include <algorithm>

#include "base/error.hpp"
#include "base/text.hpp"
#include "device/ops.hpp"
#include "device/ops/plan/plan_ops.hpp"

namespace wan {
namespace {

/// Of a micro batch's latents on the device: clean, noise, noisy, target, prediction and its gradient.
constexpr std::int64_t flat_tensors = 6;

/// Latent values per token: a patch is 1 x 2 x 2.
std::int64_t values_per_token(const DitConfig& config) {
  return 4 * config.in_channels;
}

PackCapacity capacity_of(const PackBounds& bounds, std::int64_t multiple) {
  const auto rounded = [&](std::int64_t rows) { return (rows + multiple - 1) / multiple * multiple; };
  // Every prompt shorter than all slots keeps one padded row besides its own.
  const std::int64_t text_rows =
      std::min(bounds.text_rows + bounds.samples, bounds.samples * DitConfig::text_slots);
  return {rounded(bounds.tokens), rounded(text_rows), bounds.samples};
}

Grid grid_of(const LatentShape& latent) {
  return {latent.frames, latent.height / 2, latent.width / 2};
}

Tensor head_of(const DeviceTensor& tensor, std::int64_t elements) {
  return {tensor.view.data, tensor.view.dtype, {elements}};
}

}  // namespace

std::int64_t activation_bytes(const Dit& dit, const PackBounds& bounds, DeviceKind kind,
                              const RecomputePlan& recompute, Ops& plan) {
  const std::int64_t multiple = row_multiple(kind);
  return dit.train_bytes(plan, capacity_of(bounds, multiple), multiple, recompute);
}

std::int64_t activation_bytes(const Dit& dit, const PackBounds& bounds, DeviceKind kind,
                              const RecomputePlan& recompute) {
  PlanOps plan;
  return activation_bytes(dit, bounds, kind, recompute, plan);
}

std::int64_t input_bytes(const Dit& dit, const PackBounds& bounds, DeviceKind kind) {
  const PackCapacity capacity = capacity_of(bounds, row_multiple(kind));
  const std::int64_t flat = flat_tensors * values_per_token(dit.config());
  constexpr std::int64_t indices = 4;  // sample and position of each token
  return 4 * (capacity.tokens * (flat + indices) + capacity.text_rows * dit.config().text_dim);
}

FlowStep::FlowStep(Device& device, const Dit& dit, const TextEmbedding& null_text, const Options& options)
    : device_(device),
      dit_(dit),
      null_text_(null_text),
      options_(options),
      row_multiple_(row_multiple(device.kind())),
      capacity_(capacity_of(options.bounds, row_multiple_)),
      memory_(device, wan::activation_bytes(dit, options.bounds, device.kind(), options.recompute)),
      arena_(memory_.data(), memory_.bytes()),
      pack_buffers_(device, capacity_, row_multiple_) {
  saved_.recompute = options.recompute;
  const Shape flat{capacity_.tokens * values_per_token(dit.config())};
  for (DeviceTensor* tensor : {&clean_, &noise_, &noisy_, &target_, &prediction_, &gradient_}) {
    *tensor = DeviceTensor(device, DType::f32, flat);
  }
  text_ = DeviceTensor(device, DType::f32, {capacity_.text_rows, dit.config().text_dim});
  losses_ = DeviceTensor(device, DType::f32, {2, capacity_.samples});
  staging_ = Staging(device, clean_.view.bytes() + text_.view.bytes());
}

FlowStep::Loaded FlowStep::load(const HostPack& pack, bool validation) {
  Loaded loaded;
  FillNormal normals;
  std::vector<PackSample> samples;
  loaded.element_offset.push_back(0);
  for (const HostSample& sample : pack.samples) {
    const auto visit = static_cast<std::uint32_t>(sample.visit);
    const FlowDraw draw = validation ? validation_flow(options_.flow, options_.validation_seed, sample.id)
                                     : draw_flow(options_.flow, options_.seed, sample.id, visit);
    normals.keys.push_back(validation
                               ? random_key(options_.validation_seed, sample.id, 0, Purpose::validation_noise)
                               : random_key(options_.seed, sample.id, visit, Purpose::noise));
    samples.push_back(
        {grid_of(sample.latent), draw.timestep, draw.drop_text ? null_text_.rows : sample.text_rows});
    loaded.element_offset.push_back(loaded.element_offset.back() + sample.latent.elements());
    loaded.draws.push_back(draw);
  }
  pack_.emplace(std::move(samples), row_multiple_);
  const std::int64_t elements = loaded.element_offset.back();
  loaded.view = pack_buffers_.load(*pack_);
  loaded.layout = pack_->layout();
  loaded.noisy = head_of(noisy_, elements);
  loaded.target = head_of(target_, elements);
  loaded.prediction = head_of(prediction_, elements);
  loaded.text = text_.view.row_range(0, pack_->text_rows());

  const Tensor clean = head_of(clean_, elements);
  staging_.begin();
  std::copy_n(pack.latents.data(), elements, staging_.at<float>(0));
  device_.copy(clean.data, staging_.at<float>(0), clean.bytes());
  normals.offset = loaded.element_offset;
  normals.out = head_of(noise_, elements);
  device_.ops().fill_normal(normals);
  FlowMix mix;
  mix.clean = clean;
  mix.noise = normals.out;
  for (const FlowDraw& draw : loaded.draws) mix.sigma.push_back(draw.sigma);
  mix.offset = loaded.element_offset;
  mix.noisy = loaded.noisy;
  mix.target = loaded.target;
  device_.ops().flow_mix(mix);
  upload_text(pack, loaded);
  staging_.end();
  return loaded;
}

void FlowStep::upload_text(const HostPack& pack, const Loaded& loaded) {
  const std::int64_t width = dit_.config().text_dim;
  if (pack.text_width != width) {
    throw Error(ExitCode::data,
                cat("text embeddings are ", pack.text_width, " wide, the model's text_dim is ", width));
  }
  float* const text = staging_.at<float>(clean_.view.bytes());
  std::fill_n(text, loaded.text.elements(), 0.0F);
  const float* own = pack.text.data();
  for (std::size_t s = 0; s < pack.samples.size(); ++s) {
    const std::int64_t own_values = pack.samples[s].text_rows * width;
    float* to = text + pack_->text_offset()[s] * width;
    if (loaded.draws[s].drop_text) {
      std::copy_n(null_text_.values.data(), null_text_.rows * width, to);
    } else {
      std::copy_n(own, own_values, to);
    }
    own += own_values;
  }
  device_.copy(loaded.text.data, text, loaded.text.bytes());
}

FlowLoss FlowStep::loss_of(const Loaded& loaded) const {
  FlowLoss loss;
  loss.prediction = loaded.prediction;
  loss.target = loaded.target;
  for (const FlowDraw& draw : loaded.draws) loss.weight.push_back(draw.weight);
  loss.offset = loaded.element_offset;
  const auto samples = static_cast<std::int64_t>(loaded.draws.size());
  loss.loss = loss_row(0, samples);
  loss.raw = loss_row(1, samples);
  return loss;
}

/// Rows of pinned memory are made for the micro batches of the first two steps and serve those of all steps.
void FlowStep::fetch_losses(const Loaded& loaded) {
  if (spare_rows_.empty()) spare_rows_.push_back({PinnedBuffer(device_, losses_.view.bytes()), {}, {}});
  loss_rows_.push_back(std::move(spare_rows_.back()));
  spare_rows_.pop_back();
  LossRow& row = loss_rows_.back();
  device_.copy(row.values.data(), losses_.view.data, losses_.view.bytes());
  row.copied = device_.record();
  row.samples.clear();
  for (std::size_t s = 0; s < loaded.draws.size(); ++s) {
    row.samples.push_back(
        {loaded.draws[s].sigma, 0, 0, loaded.element_offset[s + 1] - loaded.element_offset[s]});
  }
}

std::vector<SampleLoss> FlowStep::take_losses(std::size_t micro_batches) {
  std::vector<SampleLoss> out;
  for (std::size_t taken = 0; taken < micro_batches; ++taken) {
    LossRow row = std::move(loss_rows_.front());
    loss_rows_.pop_front();
    device_.await(row.copied);
    const auto* const weighted = static_cast<const float*>(row.values.data());
    const float* const raw = weighted + capacity_.samples;
    for (std::size_t s = 0; s < row.samples.size(); ++s) {
      SampleLoss loss = row.samples[s];
      loss.weighted = weighted[s];
      loss.raw = raw[s];
      out.push_back(loss);
    }
    spare_rows_.push_back(std::move(row));
  }
  return out;
}

Tensor FlowStep::device_losses() const {
  return loss_row(0, static_cast<std::int64_t>(pack_->samples().size()));
}

Tensor FlowStep::loss_row(std::int64_t row, std::int64_t samples) const {
  return {losses_.view.as<float>() + row * capacity_.samples, DType::f32, {samples}};
}

void FlowStep::accumulate(const MicroBatch& batch, Observers observers) {
  const Loaded loaded = load(batch.pack, false);
  const Arena::Scope scope(arena_);
  const Walk walk(device_, arena_, observers);
  dit_.forward(walk, loaded.view, loaded.noisy, loaded.text, saved_, loaded.prediction);
  FlowLoss loss = loss_of(loaded);
  loss.scale = 1.0F / static_cast<float>(batch.step_tokens * values_per_token(dit_.config()));
  loss.gradient = head_of(gradient_, loaded.element_offset.back());
  device_.ops().flow_loss(loss);
  dit_.backward(walk, loaded.view, saved_, loss.gradient, batch.last);
  fetch_losses(loaded);
}

std::vector<SampleLoss> FlowStep::evaluate(const HostPack& pack) {
  const Loaded loaded = load(pack, true);
  const Arena::Scope scope(arena_);
  dit_.predict(Walk(device_, arena_), loaded.view, loaded.noisy, loaded.text, loaded.prediction);
  device_.ops().flow_loss(loss_of(loaded));
  fetch_losses(loaded);
  return take_losses();
}

}  // namespace wan
