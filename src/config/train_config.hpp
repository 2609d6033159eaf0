#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "config/choices.hpp"

namespace wan {

/// Everything a training run is made of. One struct per group of the run file, one member per key;
/// src/config's schema table says what each key means, its unit and what it may be. The values here are the
/// defaults.
struct TrainConfig {
  struct Model {
    std::int64_t num_layers = 30;
    std::int64_t hidden_size = 1536;
    std::optional<std::int64_t> crossattn_emb_size;
    std::int64_t ffn_hidden_size = 8960;
    std::int64_t num_attention_heads = 12;
    std::optional<std::int64_t> kv_channels;
    std::int64_t in_channels = 16;
    std::int64_t out_channels = 16;
    std::int64_t patch_spatial = 2;
    std::int64_t patch_temporal = 1;
    std::int64_t freq_dim = 256;
    std::int64_t text_len = 512;
    std::int64_t text_dim = 4096;
    double layernorm_epsilon = 1e-6;
    ModelStorage params_dtype = ModelStorage::automatic;
    RecomputeChoice recompute_granularity = RecomputeChoice::automatic;
    RecomputeMethod recompute_method = RecomputeMethod::uniform;
    std::optional<std::int64_t> recompute_num_layers;
    std::int64_t tensor_model_parallel_size = 1;
    std::int64_t context_parallel_size = 1;
    std::int64_t pipeline_model_parallel_size = 1;

    [[nodiscard]] std::int64_t head_dim() const {
      return kv_channels.value_or(num_attention_heads > 0 ? hidden_size / num_attention_heads : 0);
    }
  } model;

  struct Train {
    std::int64_t train_iters = 10000;
    std::int64_t global_batch_size = 4;
    std::int64_t micro_batch_size = 1;
    std::int64_t eval_interval = 2000;
    std::int64_t eval_iters = 32;
    std::optional<std::int64_t> exit_interval;
    std::optional<double> exit_duration_in_mins;
    std::int64_t skipped_updates_allowed = 3;
  } train;

  struct Optimizer {
    double lr = 0.9e-4;
    std::optional<double> min_lr;
    double weight_decay = 0.1;
    double adam_beta1 = 0.9;
    double adam_beta2 = 0.95;
    double adam_eps = 1e-5;
    double clip_grad = 1.0;

    /// The rate the decay ends at.
    [[nodiscard]] double final_lr() const { return min_lr.value_or(0.1 * lr); }
  } optimizer;

  struct Scheduler {
    LrDecay lr_decay_style = LrDecay::cosine;
    std::optional<std::int64_t> lr_decay_iters;
    std::optional<std::int64_t> lr_warmup_iters;
    double lr_warmup_init = 0.0;
  } scheduler;

  struct FlowMatching {
    TimestepSampling timestep_sampling = TimestepSampling::uniform;
    double logit_mean = 0.0;
    double logit_std = 1.0;
    double flow_shift = 3.0;
    double mix_uniform_ratio = 0.1;
    double sigma_min = 0.0;
    double sigma_max = 1.0;
    bool use_loss_weighting = true;
    double text_dropout = 0.1;
  } flow_matching;

  struct Ema {
    bool enabled = false;
    double decay = 0.9999;
    bool warmup = true;
  } ema;

  struct Validation {
    std::int64_t seed = 42;
    std::vector<double> sigma_bins = {0.25, 0.5, 0.75};
  } validation;

  struct Dataset {
    std::optional<std::string> path;
    bool verify = false;
    std::int64_t seq_length = 1024;
    std::optional<std::int64_t> packing_buffer_size = 150;
    bool mock = false;
    std::int64_t mock_samples = 1024;
    std::int64_t F_latents = 24;
    std::int64_t H_latents = 104;
    std::int64_t W_latents = 60;
    std::int64_t number_packed_samples = 1;
    std::int64_t context_seq_len = 512;
  } dataset;

  struct Logger {
    std::int64_t log_interval = 10;
    std::optional<std::string> tensorboard_dir;
    std::optional<std::string> wandb_project;
    std::optional<std::string> wandb_exp_name;
    std::optional<std::string> wandb_entity;
  } logger;

  struct Checkpoint {
    std::string save = "checkpoints/default";
    std::optional<std::string> load;
    std::int64_t save_interval = 2000;
    std::int64_t most_recent_k = -1;
    std::optional<std::int64_t> keep_every;
    bool async_save = true;
    std::optional<std::int64_t> ckpt_step;
    std::optional<std::string> pretrained_checkpoint;
    bool load_optim = true;
    bool exit_on_missing_checkpoint = false;

    /// Where a run resumes from.
    [[nodiscard]] const std::string& load_folder() const { return load ? *load : save; }
  } checkpoint;

  struct Rng {
    std::int64_t seed = 1234;
  } rng;

  struct Runtime {
    std::optional<std::int64_t> threads;
    bool deterministic = false;
    std::optional<double> peak_tflops;
    double watchdog_seconds = 1800.0;
    double watchdog_start_seconds = 7200.0;
    std::optional<double> watchdog_save_seconds;

    /// How long writing a checkpoint may take.
    [[nodiscard]] double save_limit() const { return watchdog_save_seconds.value_or(watchdog_seconds); }
  } runtime;

  /// Steps over which the learning rate decays: `scheduler.lr_decay_iters`, or all of `train.train_iters`.
  [[nodiscard]] std::int64_t lr_decay_iters() const {
    return scheduler.lr_decay_iters.value_or(train.train_iters);
  }
  /// Steps of linear warm-up: `scheduler.lr_warmup_iters`, or a fifth of the decay but no more than 2000.
  [[nodiscard]] std::int64_t lr_warmup_iters() const {
    const std::int64_t fifth = lr_decay_iters() / 5;
    return scheduler.lr_warmup_iters.value_or(fifth < 2000 ? fifth : 2000);
  }
};

/// Sets the flow-matching keys that a training mode stands for: pretrain = logit-normal(0, 1.5), shift 2.5,
/// 20 % uniform; finetune = uniform, shift 3 (the presets of NeMo DFM's pretrain_wan.py).
void apply_preset(TrainConfig& config, TrainingMode mode);

}  // namespace wan
