#include <algorithm>

#include "base/text.hpp"
#include "config/train_config_io.hpp"

namespace wan {

namespace {

void check_model(const TrainConfig::Model& model, Complaints& c) {
  c.require(model.crossattn_emb_size.value_or(model.hidden_size) == model.hidden_size,
            {"model.crossattn_emb_size", "model.hidden_size"},
            cat("found ", model.crossattn_emb_size.value_or(0),
                ", allowed: model.hidden_size = ", model.hidden_size));
  c.require(model.num_attention_heads * model.head_dim() == model.hidden_size,
            {"model.hidden_size", "model.num_attention_heads", "model.kv_channels"},
            cat("found ", model.hidden_size, ", allowed: model.num_attention_heads = ",
                model.num_attention_heads, " times the head size, ", model.head_dim()));
  c.require(model.head_dim() % 2 == 0,
            {"model.kv_channels", "model.hidden_size", "model.num_attention_heads"},
            cat("found a head size of ", model.head_dim(), ", allowed: an even one, for rotary embedding"));
  c.require(model.out_channels == model.in_channels, {"model.out_channels", "model.in_channels"},
            cat("found ", model.out_channels, ", allowed: model.in_channels = ", model.in_channels,
                ": the velocity has the latent's shape"));
  c.require(model.freq_dim % 2 == 0, {"model.freq_dim"},
            cat("found ", model.freq_dim, ", allowed: an even number"));
}

void check_batch(const TrainConfig& config, std::int64_t ranks, Complaints& c) {
  const std::int64_t together = config.train.micro_batch_size * ranks;
  c.require(config.train.global_batch_size % together == 0,
            {"train.global_batch_size", "train.micro_batch_size", "model.tensor_model_parallel_size",
             "model.context_parallel_size", "model.pipeline_model_parallel_size"},
            cat("found ", config.train.global_batch_size,
                ", allowed: multiples of train.micro_batch_size x ranks = ", config.train.micro_batch_size,
                " x ", ranks, " = ", together));
}

void check_schedule(const TrainConfig& config, Complaints& c) {
  c.require(config.lr_warmup_iters() < config.lr_decay_iters(),
            {"scheduler.lr_warmup_iters", "scheduler.lr_decay_iters", "train.train_iters"},
            cat("found ", config.lr_warmup_iters(), ", allowed: less than the ", config.lr_decay_iters(),
                " steps of decay (scheduler.lr_decay_iters, or else train.train_iters)"));
  c.require(
      config.optimizer.final_lr() <= config.optimizer.lr, {"optimizer.min_lr", "optimizer.lr"},
      cat("found ", config.optimizer.final_lr(), ", allowed: at most optimizer.lr = ", config.optimizer.lr));
  c.require(config.scheduler.lr_warmup_init <= config.optimizer.lr,
            {"scheduler.lr_warmup_init", "optimizer.lr"},
            cat("found ", config.scheduler.lr_warmup_init,
                ", allowed: at most optimizer.lr = ", config.optimizer.lr));
}

/// "" would name the root of the file system.
void check_paths(const TrainConfig& config, Complaints& c) {
  const auto check = [&](const char* key, const std::optional<std::string>& path) {
    c.require(!path || !path->empty(), {key}, "found '', allowed: a folder");
  };
  check("checkpoint.save", config.checkpoint.save);
  check("checkpoint.load", config.checkpoint.load);
  check("checkpoint.pretrained_checkpoint", config.checkpoint.pretrained_checkpoint);
  check("dataset.path", config.dataset.path);
  check("logger.tensorboard_dir", config.logger.tensorboard_dir);
}

void check_checkpoints(const TrainConfig::Checkpoint& checkpoint, Complaints& c) {
  c.require(checkpoint.most_recent_k != 0, {"checkpoint.most_recent_k"},
            "found 0, allowed: -1 for all, or at least 1");
  const std::int64_t every = checkpoint.keep_every.value_or(checkpoint.save_interval);
  c.require(every % checkpoint.save_interval == 0, {"checkpoint.keep_every", "checkpoint.save_interval"},
            cat("found ", every, ", allowed: multiples of checkpoint.save_interval = ",
                checkpoint.save_interval, ": steps at which a checkpoint is made"));
}

void check_noise(const TrainConfig& config, Complaints& c) {
  const TrainConfig::FlowMatching& flow = config.flow_matching;
  c.require(flow.sigma_min < flow.sigma_max, {"flow_matching.sigma_min", "flow_matching.sigma_max"},
            cat("found ", flow.sigma_min, ", allowed: less than flow_matching.sigma_max = ", flow.sigma_max));
  const std::vector<double>& bins = config.validation.sigma_bins;
  c.require(
      std::adjacent_find(bins.begin(), bins.end(), [](double a, double b) { return a >= b; }) == bins.end(),
      {"validation.sigma_bins"}, "found edges that do not rise");
}

void check_dataset(const TrainConfig& config, Complaints& c) {
  const TrainConfig::Dataset& data = config.dataset;
  const TrainConfig::Model& model = config.model;
  c.require(data.mock || data.path.has_value(), {"dataset.path"},
            "found null, allowed: a folder written by wan-prep; or train on random data with --mock");
  if (!data.mock) return;
  c.require(
      data.F_latents % model.patch_temporal == 0, {"dataset.F_latents", "model.patch_temporal"},
      cat("found ", data.F_latents, ", allowed: multiples of model.patch_temporal = ", model.patch_temporal));
  c.require(
      data.H_latents % model.patch_spatial == 0, {"dataset.H_latents", "model.patch_spatial"},
      cat("found ", data.H_latents, ", allowed: multiples of model.patch_spatial = ", model.patch_spatial));
  c.require(
      data.W_latents % model.patch_spatial == 0, {"dataset.W_latents", "model.patch_spatial"},
      cat("found ", data.W_latents, ", allowed: multiples of model.patch_spatial = ", model.patch_spatial));
  c.require(data.context_seq_len <= model.text_len, {"dataset.context_seq_len", "model.text_len"},
            cat("found ", data.context_seq_len, ", allowed: at most model.text_len = ", model.text_len));
}

}  // namespace

void check_train_config(const TrainConfig& config, std::int64_t ranks, Complaints& complaints) {
  check_model(config.model, complaints);
  check_batch(config, ranks, complaints);
  check_schedule(config, complaints);
  check_paths(config, complaints);
  check_checkpoints(config.checkpoint, complaints);
  check_noise(config, complaints);
  check_dataset(config, complaints);
}

}  // namespace wan
