#include "train/trainer.hpp"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <functional>
#include <optional>
#include <utility>

#include "base/log.hpp"
#include "base/text.hpp"
#include "model/dit/run_config.hpp"
#include "model/storage.hpp"
#include "train/data_origin.hpp"
#include "train/flops.hpp"
#include "train/memory_plan.hpp"
#include "train/peak.hpp"
#include "train/step_dump.hpp"
#include "train/validation.hpp"
#include "train/zero_hooks.hpp"

namespace wan {
namespace {

double now() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

const char* name_of(Pass pass) {
  const char* names[] = {"forward ", "recompute ", "backward "};
  return names[static_cast<int>(pass)];
}

/// Names the units for profilers as well, and lets `look` at the device again and again while a walk is
/// queued.
class StepHooks final : public ZeroHooks {
 public:
  StepHooks(Device& device, const Parameters& parameters, ZeroOptimizer& optimizer,
            std::function<void()> look)
      : ZeroHooks(optimizer), device_(device), parameters_(parameters), look_(std::move(look)) {}
  void acquire(int unit, Pass pass) override {
    look_();
    device_.begin_range((name_of(pass) + parameters_.unit(static_cast<std::size_t>(unit)).name()).c_str());
    ZeroHooks::acquire(unit, pass);
  }
  void release(int /*unit*/, Pass /*pass*/) override { device_.end_range(); }

 private:
  Device& device_;
  const Parameters& parameters_;
  std::function<void()> look_;
};

LrSchedule schedule_of(const TrainConfig& config) {
  return {config.optimizer.lr,      config.optimizer.final_lr(), config.scheduler.lr_warmup_init,
          config.lr_warmup_iters(), config.lr_decay_iters(),     config.scheduler.lr_decay_style};
}

AdamWSettings adamw_of(const TrainConfig::Optimizer& optimizer) {
  return {optimizer.adam_beta1, optimizer.adam_beta2, optimizer.adam_eps, optimizer.weight_decay,
          optimizer.clip_grad};
}

/// The average's memory grows with the number of updates, so that it forgets the first weights soon.
double average_decay(const TrainConfig::Ema& ema, std::int64_t updates) {
  if (!ema.warmup) return ema.decay;
  const auto t = static_cast<double>(updates);
  return std::min(ema.decay, (1.0 + t) / (10.0 + t));
}

std::string number(double value) {
  char text[32];
  std::snprintf(text, sizeof text, "%.6g", value);
  return text;
}

}  // namespace

Trainer::Trainer(Runtime& runtime, RunFolder& folder, Device& device, const TrainConfig& config,
                 std::string dump)
    : runtime_(runtime),
      folder_(folder),
      device_(device),
      config_(config),
      dump_(std::move(dump)),
      mesh_(runtime.world(), {1, 1, runtime.size(), 1}),
      data_(open_training_data(config, runtime.world())),
      dit_(dit_config(config.model), storage_dtype(config.model.params_dtype)),
      schedule_(schedule_of(config)) {
  if (config_.dataset.path) require_vae_unchanged(runtime_.world(), *config_.dataset.path, data_.origin);
  mesh_.reach(device_);
  dit_.place(device_, true);
  dit_.parameters().initialise(device_, static_cast<std::uint64_t>(config_.rng.seed));
  optimizer_ = std::make_unique<ZeroOptimizer>(device_, dit_.parameters(), mesh_.dp,
                                               adamw_of(config_.optimizer), config_.ema.enabled);
  checkpoints_ = std::make_unique<TrainCheckpoints>(runtime_, folder_.path(), device_, config_, data_.origin);
  state_ = checkpoints_->restore(dit_.parameters(), *optimizer_);

  FlowStep::Options options;
  options.flow = config_.flow_matching;
  options.seed = static_cast<std::uint64_t>(config_.rng.seed);
  options.validation_seed = static_cast<std::uint64_t>(config_.validation.seed);
  options.bounds = micro_batch_bounds(data_, config_.train.micro_batch_size);
  options.recompute = choose_recompute(options.bounds);
  flow_ = std::make_unique<FlowStep>(device_, dit_, data_.train->null_text(), options);
  peak_ = peak();

  Loader::Options loading;
  loading.seed = options.seed;
  loading.packing = data_.packing;
  loading.layout = {config_.train.global_batch_size, config_.train.micro_batch_size, mesh_.place.dp,
                    mesh_.sizes.dp};
  loader_ = std::make_unique<Loader>(data_.train, loading, state_.loader);
  do_together(runtime_.world(), [&] {
    if (runtime_.rank() != 0) return;
    metrics_ = std::make_unique<MetricsLog>(
        folder_.path(), config_.logger.tensorboard_dir.value_or(folder_.file("tensorboard")), state_.step);
  });
  checkpoints_->tell([this](const TrainCheckpoints::Saved& saved) { log_checkpoint(saved); });
  log::info(cat("training ", dit_.parameters().elements(), " parameters (", name_of(dit_.storage()), ") on ",
                runtime_.size(), " ranks, ", device_.description(), "; ", data_.train->size(),
                " clips, activations ", human_bytes(static_cast<double>(flow_->activation_bytes())),
                " a rank"));
}

std::int64_t Trainer::room_for_activations(const PackBounds& bounds, const DeviceMemory& memory) const {
  // Other recomputation gives other bits in bf16: after a stop the choice must be the same, whoever else uses
  // the GPU then.
  if (config_.runtime.deterministic) {
    MemoryPlan plan = plan_memory(dit_, config_, bounds, device_.kind(), mesh_.sizes.dp, Recompute::none);
    plan.activations = 0;
    return memory.total - plan.total();
  }
  // What is free now has room for the inputs and the libraries' scratch too.
  return memory.free - input_bytes(dit_, bounds, device_.kind()) -
         library_bytes(dit_, bounds, device_.kind(), false);
}

RecomputePlan Trainer::choose_recompute(const PackBounds& bounds) const {
  std::optional<std::int64_t> room;
  if (const std::optional<DeviceMemory> memory = device_.memory()) {
    room = min_over(runtime_.world(), room_for_activations(bounds, *memory) - memory->total / 100);
  }
  const RecomputePlan plan = recompute_plan(config_.model, dit_, bounds, device_.kind(), room);
  log::info(cat("recomputed in the backward: ", to_text(plan, config_.model.num_layers)));
  return plan;
}

double Trainer::peak() const {
  if (config_.runtime.peak_tflops) return 1e12 * *config_.runtime.peak_tflops;
  const double peak = measured_peak(device_, dit_.storage(), mesh_.world);
  log::info(cat("mfu is against ", number(peak * 1e-12),
                " TFLOP/s a rank, measured with a matrix product in ", name_of(dit_.storage()),
                "; runtime.peak_tflops sets another peak"));
  return peak;
}

ExitCode Trainer::run() {
  started_ = now();
  Watchdog::Watch watch(runtime_.watchdog(), "training step", config_.runtime.watchdog_seconds);
  bool stop = false;
  ExitCode if_stopped = ExitCode::requeue;
  if (state_.step >= config_.train.train_iters) {
    log::info(cat("all of train.train_iters = ", config_.train.train_iters, " steps are done already"));
  }
  std::int64_t step = state_.step;
  while (step < config_.train.train_iters && !stop) {
    watch.enter("training step", config_.runtime.watchdog_seconds);
    queue_step();
    ++step;
    const std::int64_t every = config_.train.eval_interval;
    const bool last = step == config_.train.train_iters;
    if (data_.validation != nullptr && every > 0 && (step % every == 0 || last)) {
      settle();
      watch.enter("validation");
      optimizer_->await_weights();
      validate_now(watch);
    }
    const Requests requests = poll_requests(runtime_, folder_);
    if (requests.folder_lost) {
      throw IoError(folder_.path(), 0,
                    "another job took this run folder over; nothing more is written to it");
    }
    stop = requests.stop() || time_is_up() ||
           (config_.train.exit_interval && step % *config_.train.exit_interval == 0);
    // Somebody put the file there because the run is to end: a scheduler must not start it again.
    if (requests.stop_by_file) if_stopped = ExitCode::done;
    const bool due = config_.checkpoint.save_interval > 0 && step % config_.checkpoint.save_interval == 0;
    if (due || last || stop || requests.save) {
      settle();
      optimizer_->await_weights();
      watch.enter("checkpoint", config_.runtime.save_limit());
      checkpoints_->save(state_, *optimizer_);
    }
    checkpoints_->poll();
  }
  watch.enter("last checkpoint", config_.runtime.save_limit());
  checkpoints_->finish();
  if (state_.step < config_.train.train_iters) {
    log::info(
        cat("stopped after step ", state_.step, " of ", config_.train.train_iters, "; start again to go on"));
    return if_stopped;
  }
  return ExitCode::done;
}

void Trainer::queue_step() {
  QueuedStep next;
  next.begin = now();
  next.step = (queued_ ? queued_->step : state_.step) + 1;
  const DeviceRange whole(device_, cat("step ", next.step).c_str());
  next.lr = schedule_.rate(next.step - 1);
  std::optional<StepDump> dump;
  if (!dump_.empty()) dump.emplace(device_, std::exchange(dump_, {}), mesh_);
  dit_.parameters().zero_gradients(device_);
  StepHooks hooks(device_, dit_.parameters(), *optimizer_, [this] { note_end(); });
  for (bool last = false; !last;) {
    const MicroBatch batch = loader_->next();
    last = batch.last;
    next.tokens = batch.step_tokens;
    for (const HostSample& sample : batch.pack.samples) next.sample_tokens.push_back(sample.latent.tokens());
    flow_->accumulate(batch, {dump ? dump->next_micro_batch() : nullptr, &hooks});
    optimizer_->watch(flow_->device_losses());
    ++next.micro_batches;
    settle();
  }
  {
    const DeviceRange range(device_, "optimizer");
    optimizer_->measure_gradient();
    if (dump) dump->write_gradients(dit_.parameters(), *optimizer_);
    optimizer_->update(next.lr, state_.updates + 1);
  }
  next.loader = loader_->state();
  next.end = device_.record();
  queued_ = std::move(next);
  note_end();
}

void Trainer::note_end() {
  if (queued_ && !queued_->ended && device_.reached(queued_->end)) queued_->ended = now();
}

void Trainer::settle() {
  if (!queued_) return;
  device_.await(queued_->end);
  note_end();
  const QueuedStep done = *std::exchange(queued_, std::nullopt);
  state_.step = done.step;
  state_.loader = done.loader;
  StepReport report{LossTotals(config_.validation.sigma_bins)};
  report.lr = done.lr;
  report.tokens = done.tokens;
  report.losses.add(flow_->take_losses(done.micro_batches));
  report.losses.reduce(mesh_.dp);
  const ZeroOptimizer::Outcome outcome = optimizer_->outcome();
  report.norm = outcome.norm;
  account_for(outcome, report);
  report.flops = sum_over(mesh_.dp, training_flops(dit_.config(), done.sample_tokens));
  const double ended = done.ended.value_or(now());
  report.seconds = ended - std::max(done.begin, last_end_);
  last_end_ = ended;
  log(report);
}

void Trainer::account_for(const ZeroOptimizer::Outcome& outcome, const StepReport& report) {
  if (outcome.updated) {
    ++state_.updates;
    state_.skipped_in_row = 0;
    optimizer_->move_average(average_decay(config_.ema, state_.updates));
    return;
  }
  ++state_.skipped;
  ++state_.skipped_in_row;
  log::warn(cat("step ", state_.step, ": loss ", report.losses.weighted(), ", gradient norm ", report.norm,
                "; the update is skipped (", state_.skipped_in_row, " in a row, allowed ",
                config_.train.skipped_updates_allowed, ")"));
  if (state_.skipped_in_row > config_.train.skipped_updates_allowed) {
    throw NumericError(state_.step, "gradient norm",
                       cat("not finite for ", state_.skipped_in_row, " steps in a row, allowed ",
                           config_.train.skipped_updates_allowed));
  }
  // Bad data spoil a sample or two. Where no sample is finite the weights are no good, and no later step
  // shows whether they ever are again.
  if (state_.step == config_.train.train_iters && report.losses.finite_samples() == 0) {
    throw NumericError(state_.step, "loss",
                       "not finite for any sample of the last step; nothing of it is saved");
  }
}

void Trainer::log(const StepReport& report) {
  if (metrics_ == nullptr) return;
  Json line;
  line.set("step", state_.step);
  report.losses.write(line);
  line.set("grad_norm", report.norm);
  line.set("lr", report.lr);
  line.set("step_ms", report.seconds * 1e3);
  line.set("tokens", report.tokens);
  const double tokens_per_s = static_cast<double>(report.tokens) / report.seconds;
  const double flops_per_s = report.flops / report.seconds / runtime_.size();
  line.set("tokens_per_s", tokens_per_s);
  line.set("tflops_per_rank", flops_per_s * 1e-12);
  line.set("mfu", flops_per_s / peak_);
  line.set("consumed_samples", state_.loader.samples);
  line.set("skipped", state_.skipped);
  metrics_->add("train", line);
  if (state_.step % config_.logger.log_interval != 0 && state_.step != config_.train.train_iters) return;
  log::info(cat("step=", state_.step, " of=", config_.train.train_iters,
                " loss=", number(report.losses.weighted()), " loss_unweighted=", number(report.losses.raw()),
                " grad_norm=", number(report.norm), " lr=", number(report.lr),
                " step_ms=", number(report.seconds * 1e3), " tokens_per_s=", number(tokens_per_s),
                " tflops_per_rank=", number(flops_per_s * 1e-12), " mfu=", number(flops_per_s / peak_),
                " consumed_samples=", state_.loader.samples));
}

void Trainer::log_checkpoint(const TrainCheckpoints::Saved& saved) {
  if (metrics_ == nullptr) return;
  Json line;
  line.set("step", saved.step);
  line.set("bytes", saved.bytes);
  line.set("stall_ms", saved.stall_s * 1e3);
  line.set("write_ms", saved.write_s * 1e3);
  metrics_->add("checkpoint", line);
}

void Trainer::validate_now(Watchdog::Watch& watch) {
  const std::int64_t samples = config_.train.eval_iters * config_.train.global_batch_size;
  if (samples == 0) return;
  const LossTotals totals = validate(*flow_, *data_.validation, samples, config_.train.micro_batch_size,
                                     config_.validation.sigma_bins, mesh_.dp, [&] { watch.beat(); });
  if (totals.finite_samples() == 0) {
    throw NumericError(state_.step, "validation loss",
                       "not finite for any sample; nothing of this step is saved");
  }
  if (metrics_ == nullptr) return;
  Json line;
  line.set("step", state_.step);
  totals.write(line);
  line.set("samples", totals.samples());
  metrics_->add("validation", line);
  log::info(cat("validation step=", state_.step, " loss=", number(totals.weighted()),
                " loss_unweighted=", number(totals.raw()), " samples=", totals.samples()));
}

bool Trainer::time_is_up() const {
  if (!config_.train.exit_duration_in_mins) return false;
  const bool mine = now() - started_ > 60.0 * *config_.train.exit_duration_in_mins;
  return max_over(runtime_.world(), std::int64_t{mine ? 1 : 0}) != 0;
}

}  // namespace wan
