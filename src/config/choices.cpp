#include "config/choices.hpp"

namespace wan {

template <>
const std::vector<Choice<Storage>>& choices_of<Storage>() {
  static const std::vector<Choice<Storage>> choices = {
      {Storage::fp32, "fp32", {"float32"}},
      {Storage::bf16, "bf16", {"bfloat16"}},
  };
  return choices;
}

template <>
const std::vector<Choice<ModelStorage>>& choices_of<ModelStorage>() {
  static const std::vector<Choice<ModelStorage>> choices = {
      {ModelStorage::automatic, "auto", {}},
      {ModelStorage::fp32, "fp32", {"float32", "torch.float32", "torch.float", "null"}},
      {ModelStorage::bf16, "bf16", {"bfloat16", "torch.bfloat16", "bf16_mixed", "bf16-mixed"}},
  };
  return choices;
}

template <>
const std::vector<Choice<TrainingMode>>& choices_of<TrainingMode>() {
  static const std::vector<Choice<TrainingMode>> choices = {
      {TrainingMode::pretrain, "pretrain", {}},
      {TrainingMode::finetune, "finetune", {}},
  };
  return choices;
}

template <>
const std::vector<Choice<TimestepSampling>>& choices_of<TimestepSampling>() {
  static const std::vector<Choice<TimestepSampling>> choices = {
      {TimestepSampling::uniform, "uniform", {}},
      {TimestepSampling::logit_normal, "logit_normal", {"logit-normal"}},
      {TimestepSampling::mode, "mode", {}},
  };
  return choices;
}

template <>
const std::vector<Choice<LrDecay>>& choices_of<LrDecay>() {
  static const std::vector<Choice<LrDecay>> choices = {
      {LrDecay::constant, "constant", {}},
      {LrDecay::linear, "linear", {}},
      {LrDecay::cosine, "cosine", {}},
  };
  return choices;
}

template <>
const std::vector<Choice<ResizeKind>>& choices_of<ResizeKind>() {
  static const std::vector<Choice<ResizeKind>> choices = {
      {ResizeKind::bilinear, "bilinear", {}}, {ResizeKind::bicubic, "bicubic", {}},
      {ResizeKind::nearest, "nearest", {}},   {ResizeKind::area, "area", {}},
      {ResizeKind::lanczos, "lanczos", {}},
  };
  return choices;
}

template <>
const std::vector<Choice<PrepMode>>& choices_of<PrepMode>() {
  static const std::vector<Choice<PrepMode>> choices = {
      {PrepMode::video, "video", {}},
      {PrepMode::frames, "frames", {}},
  };
  return choices;
}

template <>
const std::vector<Choice<SolverKind>>& choices_of<SolverKind>() {
  static const std::vector<Choice<SolverKind>> choices = {
      {SolverKind::unipc, "unipc", {}},
      {SolverKind::euler, "euler", {}},
  };
  return choices;
}

template <>
const std::vector<Choice<SigmaSource>>& choices_of<SigmaSource>() {
  static const std::vector<Choice<SigmaSource>> choices = {
      {SigmaSource::diffusers, "diffusers", {"diffusers-0.37", "diffusers_0.37"}},
      {SigmaSource::diffusers_036, "diffusers-0.36", {"diffusers_0.36"}},
      {SigmaSource::official, "official", {}},
  };
  return choices;
}

template <>
const std::vector<Choice<RecomputeChoice>>& choices_of<RecomputeChoice>() {
  static const std::vector<Choice<RecomputeChoice>> choices = {
      {RecomputeChoice::automatic, "auto", {"null"}},
      {RecomputeChoice::none, "none", {}},
      {RecomputeChoice::norms, "norms", {}},
      {RecomputeChoice::keep_attention, "keep_attention", {}},
      {RecomputeChoice::full, "full", {}},
  };
  return choices;
}

template <>
const std::vector<Choice<RecomputeMethod>>& choices_of<RecomputeMethod>() {
  static const std::vector<Choice<RecomputeMethod>> choices = {
      {RecomputeMethod::uniform, "uniform", {"null"}},
      {RecomputeMethod::block, "block", {}},
  };
  return choices;
}

template <>
const std::vector<Choice<WeightChoice>>& choices_of<WeightChoice>() {
  static const std::vector<Choice<WeightChoice>> choices = {
      {WeightChoice::automatic, "auto", {}},
      {WeightChoice::ema, "ema", {}},
      {WeightChoice::raw, "raw", {}},
  };
  return choices;
}

template <>
const std::vector<Choice<GuidanceBranches>>& choices_of<GuidanceBranches>() {
  static const std::vector<Choice<GuidanceBranches>> choices = {
      {GuidanceBranches::automatic, "auto", {}},
      {GuidanceBranches::batched, "batched", {}},
      {GuidanceBranches::sequential, "sequential", {}},
  };
  return choices;
}

}  // namespace wan
