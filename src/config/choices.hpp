#pragma once
#include "config/field.hpp"

namespace wan {

// What a user can choose by name. Every program and every room above uses these types.

/// How latents are stored.
enum class Storage { fp32, bf16 };
/// How a model's weights and activations are stored; automatic: bf16 on a GPU, fp32 on the host.
enum class ModelStorage { automatic, fp32, bf16 };
/// Presets of the flow_matching keys.
enum class TrainingMode { pretrain, finetune };
/// Distribution of u, from which a noise level is made.
enum class TimestepSampling { uniform, logit_normal, mode };
/// Shape of the learning rate's decay.
enum class LrDecay { constant, linear, cosine };
/// OpenCV's interpolations of the same names (INTER_LINEAR, INTER_CUBIC, INTER_NEAREST, INTER_AREA,
/// INTER_LANCZOS4).
enum class ResizeKind { bilinear, bicubic, nearest, area, lanczos };
/// Whole clips, or single frames as one-frame videos.
enum class PrepMode { video, frames };
enum class SolverKind { unipc, euler };
/// Whose noise levels a run steps through; the sources differ in the third digit.
enum class SigmaSource {
  diffusers,      ///< diffusers >= 0.37
  diffusers_036,  ///< diffusers <= 0.36
  official,       ///< Wan-Video/Wan2.1
};
/// What the backward computes again (model/dit/recompute.hpp); automatic: what the device's memory allows.
enum class RecomputeChoice { automatic, none, norms, keep_attention, full };
/// Which blocks: all, or the first model.recompute_num_layers.
enum class RecomputeMethod { uniform, block };
/// Which weights of a checkpoint: the average where there is one, the average, or the weights as trained.
enum class WeightChoice { automatic, ema, raw };
/// The two branches of guidance: in one pass through the network or one after the other; automatic: what is
/// faster and fits.
enum class GuidanceBranches { automatic, batched, sequential };

// The names and spellings of each.
template <>
const std::vector<Choice<Storage>>& choices_of();
template <>
const std::vector<Choice<ModelStorage>>& choices_of();
template <>
const std::vector<Choice<TrainingMode>>& choices_of();
template <>
const std::vector<Choice<TimestepSampling>>& choices_of();
template <>
const std::vector<Choice<LrDecay>>& choices_of();
template <>
const std::vector<Choice<ResizeKind>>& choices_of();
template <>
const std::vector<Choice<PrepMode>>& choices_of();
template <>
const std::vector<Choice<SolverKind>>& choices_of();
template <>
const std::vector<Choice<SigmaSource>>& choices_of();
template <>
const std::vector<Choice<RecomputeChoice>>& choices_of();
template <>
const std::vector<Choice<RecomputeMethod>>& choices_of();
template <>
const std::vector<Choice<WeightChoice>>& choices_of();
template <>
const std::vector<Choice<GuidanceBranches>>& choices_of();

}  // namespace wan
