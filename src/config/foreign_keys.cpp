#include "config/train_schema.hpp"

namespace wan {

namespace {

void ignore_all(Schema& schema, const std::string& group, const std::vector<const char*>& keys,
                const char* why) {
  for (const char* key : keys) schema.ignore(group + "." + key, why);
}

void add_foreign_model_keys(Schema& s) {
  const char* fusion = "which kernels are fused is the device's choice; results are the same";
  s.ignore("model.qkv_format", "every batch is a pack of samples with offsets (what thd means)");
  s.ignore("model.deterministic_mode", "runtime.deterministic asks for the same bits in every run");
  s.ignore("dataset.num_workers", "one thread of each rank reads ahead");
  s.ignore("model.seq_length", "the token capacity is dataset.seq_length");
  s.ignore("model.sequence_parallel", "tokens are split wherever tensor parallelism is on");
  ignore_all(s, "model",
             {"apply_rope_fusion", "bias_activation_fusion", "bias_dropout_fusion", "masked_softmax_fusion",
              "gradient_accumulation_fusion", "persist_layer_norm", "cross_entropy_loss_fusion"},
             fusion);
  s.ignore("model.recompute_modules", "model.recompute_granularity says what is recomputed");
  ignore_all(s, "model",
             {"normalization", "layernorm_zero_centered_gamma", "layernorm_across_heads", "add_bias_linear",
              "add_qkv_bias", "gated_linear_unit", "activation_func", "qk_layernorm", "rotary_interleaved"},
             "fixed by Wan 2.1's architecture");
  s.unavailable("model.hidden_dropout", "Wan 2.1 has no dropout");
  s.unavailable("model.attention_dropout", "Wan 2.1 has no dropout");
  ignore_all(s, "model",
             {"vocab_size", "make_vocab_size_divisible_by", "should_pad_vocab", "fp16_lm_cross_entropy",
              "share_embeddings_and_output_weights", "position_embedding_type", "max_position_embeddings"},
             "a video model has no vocabulary");
  ignore_all(s, "model", {"bf16", "fp16", "autocast_dtype", "pipeline_dtype"},
             "storage is model.params_dtype");
  ignore_all(s, "model",
             {"parallel_output", "scatter_embedding_sequence_parallel", "cp_comm_type", "tp_comm_overlap",
              "use_cpu_initialization", "perform_initialization", "transformer_impl", "attention_backend",
              "enable_cuda_graph", "init_method_std"},
             "a detail of Megatron's implementation");
  s.unavailable("model.virtual_pipeline_model_parallel_size", "pipeline parallelism does not exist here yet");
}

void add_foreign_training_keys(Schema& s) {
  ignore_all(s, "train", {"manual_gc", "manual_gc_interval", "manual_gc_eval", "empty_unused_memory_level"},
             "there is no garbage collector; a step allocates nothing");
  s.ignore("train.exit_signal_handler", "SIGUSR1 and SIGTERM always finish the step, save and exit 75");
  s.ignore("train.check_weight_hash_across_dp_replicas_interval", "checkpoints carry a hash of every tensor");
  s.ignore("train.train_sync_interval", "a detail of Megatron's implementation");
  s.unavailable("train.rampup_batch_size", "the batch size is constant here");
  s.unavailable("train.train_samples", "the length of a run is train.train_iters");
  s.unavailable("train.iterations_to_skip", "no iteration can be skipped here");
  s.unavailable("train.decrease_batch_size_if_needed", "the batch size is constant here");
  ignore_all(s, "optimizer", {"optimizer", "decoupled_weight_decay"}, "the optimizer is AdamW");
  ignore_all(s, "optimizer",
             {"use_distributed_optimizer", "overlap_param_gather", "overlap_param_gather_with_optimizer_step",
              "use_precision_aware_optimizer", "main_params_dtype", "main_grads_dtype", "exp_avg_dtype",
              "exp_avg_sq_dtype", "params_dtype", "bf16", "fp16"},
             "optimizer state is sharded over the ranks and fp32");
  ignore_all(s, "scheduler", {"start_weight_decay", "end_weight_decay", "weight_decay_incr_style"},
             "weight decay is constant, optimizer.weight_decay");
  ignore_all(s, "scheduler", {"override_opt_param_scheduler", "use_checkpoint_opt_param_scheduler"},
             "the schedule is a function of the step and of this file");
  s.unavailable("scheduler.lr_warmup_fraction", "set scheduler.lr_warmup_iters");
  s.unavailable("scheduler.lr_warmup_samples", "set scheduler.lr_warmup_iters");
  s.unavailable("scheduler.lr_decay_samples", "set scheduler.lr_decay_iters");
  ignore_all(s, "ddp", {"grad_reduce_in_fp32", "average_in_collective"},
             "gradients accumulate and reduce in fp32");
  s.ignore("ddp.check_for_nan_in_grad", "always checked");
  s.ignore("ddp.use_distributed_optimizer", "optimizer state is always sharded");
  ignore_all(s, "ddp",
             {"overlap_grad_reduce", "overlap_param_gather", "align_param_gather", "bucket_size",
              "gradient_reduce_div_fusion", "num_distributed_optimizer_instances", "fp8_param_gather"},
             "how communication is scheduled changes no result");
  s.unavailable("ddp.use_megatron_fsdp", "fully sharded data parallelism does not exist here yet");
  s.unavailable("ddp.use_custom_fsdp", "fully sharded data parallelism does not exist here yet");
  s.ignore("ddp.data_parallel_sharding_strategy",
           "optimizer state is sharded, weights and gradients are not");
  s.unavailable("dist.use_megatron_fsdp", "fully sharded data parallelism does not exist here yet");
  s.ignore("dist.*", "ranks find each other through MPI");
  s.ignore("comm_overlap.*", "how communication is scheduled changes no result");
  s.ignore("mixed_precision.*",
           "storage is model.params_dtype; accumulation, master weights and gradients are fp32");
}

void add_foreign_service_keys(Schema& s) {
  ignore_all(s, "dataset", {"patch_spatial", "patch_temporal"}, "the model's patch size is used");
  ignore_all(s, "dataset",
             {"task_encoder_seq_length", "prefetch_factor", "pin_memory", "persistent_workers",
              "dataloader_type", "data_sharding", "use_train_split_for_val"},
             "a detail of DFM's loader");
  ignore_all(
      s, "logger",
      {"log_timers_to_tensorboard", "log_throughput", "log_throughput_to_tensorboard", "timing_log_level",
       "timing_log_option", "tensorboard_log_interval", "log_params_norm",
       "log_validation_ppl_to_tensorboard", "log_loss_scale_to_tensorboard", "log_memory_to_tensorboard",
       "log_world_size_to_tensorboard", "tensorboard_queue_size", "logging_level", "filter_warnings",
       "modules_to_filter", "set_level_for_all_loggers", "log_progress", "log_energy", "wandb_save_dir"},
      "every log line and event file holds all there is to log");
  ignore_all(s, "checkpoint",
             {"ckpt_format", "fully_parallel_save", "fully_parallel_load", "dist_ckpt_strictness",
              "ckpt_assume_constant_structure", "ckpt_convert_format", "ckpt_fully_parallel_load",
              "dist_ckpt_optim_fully_reshardable", "strict_fsdp_dtensor_load", "use_persistent_ckpt_worker"},
             "one format: parallel HDF5 that any layout reads");
  ignore_all(s, "checkpoint",
             {"save_optim", "save_rng", "load_rng", "use_checkpoint_args", "load_main_params_from_ckpt",
              "non_persistent_save_interval", "non_persistent_ckpt_type"},
             "a checkpoint always holds all a run needs to go on");
  s.unavailable("checkpoint.finetune",
                "checkpoint.pretrained_checkpoint starts from given weights at step 0");
  ignore_all(s, "rng", {"data_parallel_random_init", "te_rng_tracker", "inference_rng_tracker"},
             "numbers are keyed by seed, sample, step and purpose, never by rank");
  s.ignore("tokenizer.*", "texts are embedded by wan-prep with the model's own tokenizer");
  s.ignore("profiling.*", "step times are in metrics.jsonl; profilers attach from outside");
  s.ignore("ft.*", "the watchdog and the job scripts restart a run");
  s.ignore("straggler.*", "step times are in metrics.jsonl and the log");
  s.ignore("nvrx_straggler.*", "step times are in metrics.jsonl and the log");
  s.ignore("inprocess_restart.*", "the job scripts restart a run");
  s.ignore("rerun_state_machine.*", "a gradient that is not finite skips the update");
  s.ignore("tensor_inspect.*", "--dump writes every activation and gradient");
  s.unavailable("peft.*", "low-rank adapters do not exist here yet");
}

}  // namespace

void add_foreign_keys(Schema& schema) {
  add_foreign_model_keys(schema);
  add_foreign_training_keys(schema);
  add_foreign_service_keys(schema);
}

}  // namespace wan
