#include "train/memory_plan.hpp"

#include <algorithm>

#include "base/error.hpp"
#include "base/text.hpp"
#include "device/ops/attention_scratch.hpp"
#include "train/flow_step.hpp"

namespace wan {
namespace {

std::int64_t sum_of(const std::vector<std::pair<std::string, std::int64_t>>& kinds) {
  std::int64_t sum = 0;
  for (const auto& [kind, bytes] : kinds) sum += bytes;
  return sum;
}

Recompute policy_of(RecomputeChoice choice) {
  switch (choice) {
    case RecomputeChoice::norms:
      return Recompute::norms;
    case RecomputeChoice::keep_attention:
      return Recompute::keep_attention;
    case RecomputeChoice::full:
      return Recompute::full;
    case RecomputeChoice::automatic:
    case RecomputeChoice::none:
      break;
  }
  return Recompute::none;
}

RecomputePlan asked_for(const TrainConfig::Model& model) {
  const Recompute policy = policy_of(model.recompute_granularity);
  if (model.recompute_method == RecomputeMethod::uniform || !model.recompute_num_layers) return policy;
  return {policy, *model.recompute_num_layers, Recompute::none};
}

/// "none 81.2 GiB, norms 47.9 GiB, …".
std::string what_policies_take(const Dit& dit, const PackBounds& bounds, DeviceKind kind) {
  std::vector<std::string> parts;
  for (const Recompute policy :
       {Recompute::none, Recompute::norms, Recompute::keep_attention, Recompute::full}) {
    const auto bytes = static_cast<double>(activation_bytes(dit, bounds, kind, policy));
    parts.push_back(cat(name_of(policy), " ", human_bytes(bytes)));
  }
  return join(parts, ", ");
}

}  // namespace

std::vector<std::pair<std::string, std::int64_t>> MemoryPlan::by_kind() const {
  std::vector<std::pair<std::string, std::int64_t>> kinds = {
      {"weights", weights}, {"gradients", gradients},     {"moments", moments}, {"masters", masters},
      {"average", average}, {"activations", activations}, {"inputs", inputs},   {"libraries", libraries}};
  kinds.erase(std::remove_if(kinds.begin(), kinds.end(), [](const auto& kind) { return kind.second == 0; }),
              kinds.end());
  return kinds;
}

std::int64_t MemoryPlan::total() const {
  return sum_of(by_kind());
}

std::int64_t library_bytes(const Dit& dit, const PackBounds& bounds, DeviceKind kind, bool deterministic) {
  if (kind == DeviceKind::host) return 0;
  constexpr std::int64_t context = 640LL << 20U;
  constexpr std::int64_t products = 32LL << 20U;
  // Attention's backward adds up dq in fp32, and pads a little; that over text the sums of its blocks.
  const std::int64_t attention = bounds.tokens * dit.config().dim() * 4;
  constexpr std::int64_t text_sums = 192LL << 20U;
  // Without atomic sums it takes thrice the shares of the heads that it works on together.
  const std::int64_t of_head = 2 * bounds.tokens * bounds.longest;
  const std::int64_t shares =
      std::max(of_head, std::min(dit.config().num_attention_heads * of_head, deterministic_shares));
  return context + products + attention + attention / 4 + text_sums + (deterministic ? 3 * shares : 0);
}

MemoryPlan plan_memory(const Dit& dit, const TrainConfig& config, const PackBounds& bounds, DeviceKind kind,
                       std::int64_t ranks, const RecomputePlan& recompute) {
  MemoryPlan plan;
  std::int64_t trainable = 0;
  std::int64_t apart_from_master = 0;
  for (const ParameterUnit& unit : dit.parameters().units()) {
    plan.weights += unit.weight_bytes();
    trainable += unit.trainable_elements();
    const auto runs = unit.weight_runs();
    const bool copied =
        std::any_of(runs.begin(), runs.end(), [](const auto& run) { return run.second.dtype != DType::f32; });
    if (copied) apart_from_master += unit.trainable_elements();
  }
  const auto share = [&](std::int64_t elements) { return (elements + ranks - 1) / ranks * 4; };
  plan.gradients = 4 * trainable;
  plan.moments = 2 * share(trainable);
  plan.masters = share(apart_from_master);
  if (config.ema.enabled) plan.average = share(trainable);
  plan.activations = activation_bytes(dit, bounds, kind, recompute);
  plan.inputs = input_bytes(dit, bounds, kind);
  plan.libraries = library_bytes(dit, bounds, kind, config.runtime.deterministic);
  plan.snapshot = (plan.weights + ranks - 1) / ranks + plan.moments + plan.masters + plan.average;
  return plan;
}

std::vector<RecomputePlan> recompute_candidates(std::int64_t layers) {
  std::vector<RecomputePlan> out = {Recompute::norms};
  for (const auto& [policy, rest] : {std::pair{Recompute::keep_attention, Recompute::norms},
                                     std::pair{Recompute::full, Recompute::keep_attention}}) {
    for (std::int64_t count = 1; count < layers; ++count) out.emplace_back(policy, count, rest);
    out.emplace_back(policy);
  }
  return out;
}

RecomputePlan recompute_plan(const TrainConfig::Model& model, const Dit& dit, const PackBounds& bounds,
                             DeviceKind kind, std::optional<std::int64_t> room) {
  const bool automatic = model.recompute_granularity == RecomputeChoice::automatic;
  const RecomputePlan asked = asked_for(model);
  if (!room) return asked;
  const std::vector<RecomputePlan> plans =
      automatic ? recompute_candidates(model.num_layers) : std::vector{asked};
  for (const RecomputePlan& plan : plans) {
    if (activation_bytes(dit, bounds, kind, plan) <= *room) return plan;
  }
  throw ConfigError(
      "model.recompute_granularity",
      cat("found ", choice_name(model.recompute_granularity), " with ",
          human_bytes(static_cast<double>(*room)), " of device memory for the activations of ", bounds.tokens,
          " tokens, allowed: what fits; they take: ", what_policies_take(dit, bounds, kind)));
}

std::string to_text(const MemoryPlan& plan) {
  std::vector<std::string> parts;
  for (const auto& [kind, bytes] : plan.by_kind())
    parts.push_back(cat(kind, " ", human_bytes(static_cast<double>(bytes))));
  return join(parts, ", ");
}

std::string to_text(const RecomputePlan& plan, std::int64_t layers) {
  if (plan.layers >= layers || plan.policy == plan.rest) return name_of(plan.policy);
  if (plan.layers <= 0) return name_of(plan.rest);
  return cat(plan.layers, " blocks ", name_of(plan.policy), ", ", layers - plan.layers, " ",
             name_of(plan.rest));
}

}  // namespace wan
