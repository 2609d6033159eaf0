#include "config/train_schema.hpp"

namespace wan {

namespace {

void add_model(Schema& s, TrainConfig::Model& model) {
  s.group("model", "the diffusion transformer and how it is spread over ranks");
  s.add("num_layers", model.num_layers, within(1, 1000), "", "transformer blocks");
  s.add("hidden_size", model.hidden_size, within(1, 1e6), "",
        "width; the number of heads times the head size");
  s.add("crossattn_emb_size", model.crossattn_emb_size, within(1, 1e6), "",
        "width after the text MLP; must be hidden_size, null follows it");
  s.add("ffn_hidden_size", model.ffn_hidden_size, within(1, 1e6), "", "width inside the feed-forward layer");
  s.add("num_attention_heads", model.num_attention_heads, within(1, 1024), "", "attention heads");
  s.add("kv_channels", model.kv_channels, within(1, 1e6), "",
        "head size; null: hidden_size / num_attention_heads");
  s.add("in_channels", model.in_channels, within(1, 1024), "", "latent channels that enter");
  s.add("out_channels", model.out_channels, within(1, 1024), "", "latent channels that leave");
  s.add("patch_spatial", model.patch_spatial, only(2), "latent pixels", "patch height and width");
  s.add("patch_temporal", model.patch_temporal, only(1), "latent frames", "patch length");
  s.add("freq_dim", model.freq_dim, within(2, 65536), "", "features of the sinusoidal timestep embedding");
  s.add("text_len", model.text_len, only(512), "tokens",
        "rows of text that cross attention sees, padding included");
  s.add("text_dim", model.text_dim, within(1, 1e6), "", "width of the text encoder");
  s.add("layernorm_epsilon", model.layernorm_epsilon, above(0), "", "epsilon of every norm");
  s.add("params_dtype", model.params_dtype,
        "how weights and activations are stored; auto: bf16 on a GPU, fp32 on the host; master weights and "
        "gradients are fp32 in any case");
  s.add("recompute_granularity", model.recompute_granularity,
        "what of a block the backward computes again, for less memory and more time: norms, what is "
        "elementwise; "
        "keep_attention, all but self-attention; full, all from the block's input; auto: none on the host, "
        "on a "
        "GPU the first of norms, keep_attention and full that fits");
  s.add("recompute_method", model.recompute_method,
        "uniform: every block; block: the first recompute_num_layers, the others one policy lighter");
  s.add("recompute_num_layers", model.recompute_num_layers, at_least(0), "blocks",
        "how many, with recompute_method block; null: all");
  s.add("tensor_model_parallel_size", model.tensor_model_parallel_size, only(1), "ranks",
        "tensor parallelism; above 1 not available yet");
  s.add("context_parallel_size", model.context_parallel_size, only(1), "ranks",
        "context parallelism; above 1 not available yet");
  s.add("pipeline_model_parallel_size", model.pipeline_model_parallel_size, only(1), "ranks",
        "pipeline parallelism; above 1 not available yet");
}

void add_train(Schema& s, TrainConfig::Train& train) {
  s.group("train", "length, batch and validation");
  s.add("train_iters", train.train_iters, within(1, 4294967295.0), "steps", "optimizer steps in all");
  s.add("global_batch_size", train.global_batch_size, within(1, 1e6), "packs",
        "packs per optimizer step over all ranks");
  s.add("micro_batch_size", train.micro_batch_size, within(1, 1e6), "packs",
        "packs joined in one forward pass of a rank");
  s.add("eval_interval", train.eval_interval, at_least(1), "steps", "steps between validations");
  s.add("eval_iters", train.eval_iters, at_least(0), "batches", "batches per validation; 0: none");
  s.add("exit_interval", train.exit_interval, at_least(1), "steps",
        "save and stop at every multiple; null: never");
  s.add("exit_duration_in_mins", train.exit_duration_in_mins, above(0), "minutes",
        "save and stop after this time; null: never");
  s.add("skipped_updates_allowed", train.skipped_updates_allowed, at_least(0), "steps",
        "updates in a row that may be skipped for a gradient that is not finite");
}

void add_optimizer(Schema& s, TrainConfig::Optimizer& optimizer) {
  s.group("optimizer", "AdamW; its state is sharded over the ranks");
  s.add("lr", optimizer.lr, at_least(0), "", "highest learning rate");
  s.add("min_lr", optimizer.min_lr, at_least(0), "",
        "learning rate that the decay ends at; null: a tenth of lr");
  s.add("weight_decay", optimizer.weight_decay, at_least(0), "",
        "decoupled decay of all but biases and 1-D parameters");
  s.add("adam_beta1", optimizer.adam_beta1, within(0, 0.999999), "", "decay of the mean of gradients");
  s.add("adam_beta2", optimizer.adam_beta2, within(0, 0.999999), "",
        "decay of the mean of squared gradients");
  s.add("adam_eps", optimizer.adam_eps, above(0), "", "added to the root of the second moment");
  s.add("clip_grad", optimizer.clip_grad, at_least(0), "",
        "largest global L2 norm of the gradient; 0: no clipping");
}

void add_scheduler(Schema& s, TrainConfig::Scheduler& scheduler) {
  s.group("scheduler", "the learning rate over time");
  s.add("lr_decay_style", scheduler.lr_decay_style, "shape of the decay");
  s.add("lr_decay_iters", scheduler.lr_decay_iters, at_least(1), "steps",
        "end of the decay; null: train.train_iters");
  s.add("lr_warmup_iters", scheduler.lr_warmup_iters, at_least(0), "steps",
        "linear warm-up; null: a fifth of the decay, 2000 at most");
  s.add("lr_warmup_init", scheduler.lr_warmup_init, at_least(0), "",
        "learning rate that the warm-up starts at");
}

void add_flow_matching(Schema& s, TrainConfig::FlowMatching& flow) {
  s.group("flow_matching", "noise levels and loss; --training-mode sets the defaults");
  s.add("timestep_sampling", flow.timestep_sampling,
        "distribution of u, from which sigma = s u / (1 + (s - 1) u)");
  s.add("logit_mean", flow.logit_mean, Range(), "", "mean of logit(u)");
  s.add("logit_std", flow.logit_std, above(0), "", "standard deviation of logit(u)");
  s.add("flow_shift", flow.flow_shift, above(0), "", "shift s; larger means noisier samples");
  s.add("mix_uniform_ratio", flow.mix_uniform_ratio, within(0, 1), "",
        "share of samples with uniform u instead");
  s.add("sigma_min", flow.sigma_min, within(0, 1), "", "smallest noise level");
  s.add("sigma_max", flow.sigma_max, within(0, 1), "", "largest noise level");
  s.add("use_loss_weighting", flow.use_loss_weighting, "weight the squared error by 1 + s sigma");
  s.add("text_dropout", flow.text_dropout, within(0, 1), "",
        "share of samples trained on the empty prompt, for guidance");
}

void add_averages(Schema& s, TrainConfig& config) {
  s.group("ema", "an fp32 moving average of the weights, saved beside them");
  s.add("enabled", config.ema.enabled, "keep the average");
  s.add("decay", config.ema.decay, within(0, 1), "", "weight of the past per step");
  s.add("warmup", config.ema.warmup, "at step n use no more than (1 + n) / (10 + n)");
  s.group("validation", "loss on samples that are not trained on, with the same noise every time");
  s.add("seed", config.validation.seed, at_least(0), "", "seed of the fixed noise and noise levels");
  s.add("sigma_bins", config.validation.sigma_bins, within(0, 1), "",
        "rising edges between which loss is reported apart");
}

void add_dataset(Schema& s, TrainConfig::Dataset& dataset) {
  s.group("dataset", "what is trained on");
  s.add("path", dataset.path, "folder written by wan-prep; null only with --mock");
  s.add("verify", dataset.verify,
        "read the whole data set before step 1 and hold it against its hashes (each row is checked when it "
        "is read anyway)");
  s.add("seq_length", dataset.seq_length, at_least(1), "tokens",
        "capacity of a pack; a longer sample has its own pack");
  s.add("packing_buffer_size", dataset.packing_buffer_size, at_least(1), "samples",
        "samples among which packs are formed; null: one sample per pack");
  s.add("mock", dataset.mock, "random latents and texts instead of a data set (--mock)");
  s.add("mock_samples", dataset.mock_samples, at_least(1), "samples", "length of an epoch of mock data");
  s.add("F_latents", dataset.F_latents, within(1, 1024), "latent frames", "length of a mock sample");
  s.add("H_latents", dataset.H_latents, within(2, 2048), "latent pixels", "height of a mock sample");
  s.add("W_latents", dataset.W_latents, within(2, 2048), "latent pixels", "width of a mock sample");
  s.add("number_packed_samples", dataset.number_packed_samples, within(1, 65536), "samples",
        "mock samples per pack");
  s.add("context_seq_len", dataset.context_seq_len, within(0, 65536), "tokens", "text rows of a mock sample");
}

void add_output(Schema& s, TrainConfig& config) {
  s.group("logger", "what a run tells while it goes on");
  s.add("log_interval", config.logger.log_interval, at_least(1), "steps", "steps between log lines");
  s.add("tensorboard_dir", config.logger.tensorboard_dir,
        "folder for TensorBoard events; null: tensorboard/ in the run folder");
  s.add("wandb_project", config.logger.wandb_project,
        "noted for the W&B upload, which analysis/ does from the run folder");
  s.add("wandb_exp_name", config.logger.wandb_exp_name, "noted for the W&B upload");
  s.add("wandb_entity", config.logger.wandb_entity, "noted for the W&B upload");
  TrainConfig::Checkpoint& checkpoint = config.checkpoint;
  s.group("checkpoint", "saving and resuming");
  s.add("save", checkpoint.save, "the run folder: checkpoints, metrics, logs and the resolved configuration");
  s.add("load", checkpoint.load, "run folder, or one iteration of it, to resume from; null: checkpoint.save");
  s.add("save_interval", checkpoint.save_interval, at_least(1), "steps", "steps between checkpoints");
  s.add("most_recent_k", checkpoint.most_recent_k, at_least(-1), "checkpoints", "how many to keep; -1: all");
  s.add("keep_every", checkpoint.keep_every, at_least(1), "steps",
        "besides those, keep every multiple for ever; null: none");
  s.add("async_save", checkpoint.async_save, "write in the background while training goes on");
  s.add(
      "ckpt_step", checkpoint.ckpt_step, at_least(0), "steps",
      "resume from this step, once: started again, a run goes on from its own newest; null: the newest good "
      "one");
  s.add("pretrained_checkpoint", checkpoint.pretrained_checkpoint,
        "weights to start from at step 0 where nothing is resumed: a run folder, one iteration of it, or a "
        "diffusers model folder");
  s.add("load_optim", checkpoint.load_optim, "resume optimizer state too");
  s.add("exit_on_missing_checkpoint", checkpoint.exit_on_missing_checkpoint,
        "fail instead of starting fresh where there is nothing to resume");
}

}  // namespace

Schema train_schema(TrainConfig& config) {
  Schema s;
  add_model(s, config.model);
  add_train(s, config.train);
  add_optimizer(s, config.optimizer);
  add_scheduler(s, config.scheduler);
  add_flow_matching(s, config.flow_matching);
  add_averages(s, config);
  add_dataset(s, config.dataset);
  add_output(s, config);
  s.group("rng", "random numbers");
  s.add("seed", config.rng.seed, at_least(0), "", "seed of order, noise, dropout and initial weights");
  s.group("runtime", "the machine");
  s.add("threads", config.runtime.threads, within(1, 4096), "threads",
        "per rank; null: cores / ranks of this host");
  s.add("deterministic", config.runtime.deterministic,
        "the same bits in every run on the same layout, at some 6 % of a GPU's speed (without a GPU always "
        "so)");
  s.add("peak_tflops", config.runtime.peak_tflops, above(0), "TFLOP/s",
        "of one rank's device, what mfu is a share of (989 for bf16 on an H100); null: what a large matrix "
        "product reaches at start");
  s.add("watchdog_seconds", config.runtime.watchdog_seconds, at_least(0), "s",
        "a step or validation batch that takes this long ends the run with exit code 80; 0: never");
  s.add("watchdog_start_seconds", config.runtime.watchdog_start_seconds, at_least(0), "s",
        "the same for opening data set and checkpoint; 0: never");
  s.add("watchdog_save_seconds", config.runtime.watchdog_save_seconds, at_least(0), "s",
        "the same for writing a checkpoint; 0: never, null: watchdog_seconds");
  s.alias("dataset.global_batch_size", "train.global_batch_size");
  s.alias("dataset.micro_batch_size", "train.micro_batch_size");
  s.alias("dataset.context_embeddings_dim", "model.text_dim");
  s.alias("mixed_precision", "model.params_dtype");
  s.alias("mixed_precision.params_dtype", "model.params_dtype");
  s.alias("flow_matching.cfg_dropout_prob", "flow_matching.text_dropout");
  add_foreign_keys(s);
  return s;
}

}  // namespace wan
