#include "train/train_checkpoints.hpp"

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <future>
#include <optional>
#include <utility>

#include "base/log.hpp"
#include "base/text.hpp"
#include "checkpoint/async_saver.hpp"
#include "checkpoint/checkpoint.hpp"
#include "checkpoint/names.hpp"
#include "checkpoint/open_place.hpp"
#include "comm/agree.hpp"
#include "config/train_config_io.hpp"
#include "model/dit/run_config.hpp"
#include "train/checkpoint_state.hpp"
#include "train/data_origin.hpp"
#include "train/same_model.hpp"
#include "weights/dit_weight_names.hpp"
#include "weights/model_folder.hpp"
#include "weights/weight_set.hpp"

namespace wan {
namespace {

/// Keys that only say how long a run is, where things lie and how the machine is used.
bool changes_training(const std::string& key) {
  for (const char* prefix :
       {"checkpoint.", "logger.", "runtime.", "validation.", "train.train_iters", "train.eval_",
        "train.exit_", "train.micro_batch_size", "model.recompute_", "dataset.path"}) {
    if (key.rfind(prefix, 0) == 0) return false;
  }
  return true;
}

/// What the run that made a checkpoint was told.
TrainConfig config_of(const std::string& iteration) {
  return read_train_config(iteration + "/" + checkpoint::config_name);
}

using checkpoint::Place;

/// Where the configuration wants a run to resume from.
Place place_to_resume(const TrainConfig::Checkpoint& wish) {
  Place place = checkpoint::place_of(wish.load_folder());
  if (wish.ckpt_step) place = {wish.load_folder(), wish.ckpt_step};
  return place;
}

/// Threads that hash, write and read a checkpoint.
int io_threads(const Runtime& runtime, const TrainConfig& config) {
  return runtime.threads(static_cast<int>(config.runtime.threads.value_or(0)));
}

}  // namespace

struct TrainCheckpoints::Parts {
  Runtime& runtime;
  std::string run_folder;
  Device& device;
  TrainConfig config;
  Json origin;
  checkpoint::AsyncSaver saver;
  /// Host copy of the last snapshot, kept for the next one.
  std::shared_ptr<void> memory;
  std::future<std::shared_ptr<void>> coming_memory;
  Saved under_way;
  std::function<void(const Saved&)> told;
  int failed_in_row = 0;
  std::string last_failure;

  void note(const std::optional<checkpoint::SaveReport>& report);
  [[nodiscard]] checkpoint::Snapshot snapshot(const RunState& state, const ZeroOptimizer& optimizer);
  void begin_memory(const ZeroOptimizer& optimizer);
  /// Takes over the memory, when it is there or, if `wait`, anyway. Throws what taking it threw.
  void take_memory(bool wait);
  /// Whether `place` is in another folder. A run that was requeued then goes on from its own, newest step and
  /// moments included, whatever it was first started from. Collective.
  [[nodiscard]] bool elsewhere(const Place& place) const;
  /// Whether the run was started with the same wish before, in its own folder, and has checkpoints since: a
  /// requeued run goes back to `place` once, not at every start. Collective.
  [[nodiscard]] bool went_back_before(const Place& place) const;
  [[nodiscard]] std::optional<checkpoint::Checkpoint> find_to_resume() const;
  [[nodiscard]] bool moments_count(const checkpoint::Checkpoint& found) const;
  void set_later_aside(const checkpoint::Checkpoint& found) const;
  void require_fit(const checkpoint::Checkpoint& found) const;
  void tell_changes(const checkpoint::Checkpoint& found) const;
  void start(const Parameters& parameters, ZeroOptimizer& optimizer) const;
  void load_pretrained(const std::string& place, const Parameters& parameters,
                       ZeroOptimizer& optimizer) const;
};

TrainCheckpoints::TrainCheckpoints(Runtime& runtime, std::string run_folder, Device& device,
                                   const TrainConfig& config, Json origin)
    : parts_(new Parts{runtime,
                       run_folder,
                       device,
                       config,
                       std::move(origin),
                       {runtime.world(),
                        run_folder,
                        {std::max<std::int64_t>(config.checkpoint.most_recent_k, 0),
                         config.checkpoint.keep_every.value_or(0)},
                        runtime.watchdog(),
                        config.runtime.save_limit(),
                        io_threads(runtime, config)},
                       nullptr,
                       {},
                       {},
                       {},
                       0,
                       {}}) {
  do_together(runtime.world(), [&] {
    if (runtime.rank() == 0) checkpoint::remove_leftovers(run_folder);
  });
}

TrainCheckpoints::~TrainCheckpoints() = default;

void TrainCheckpoints::tell(std::function<void(const Saved&)> told) {
  parts_->told = std::move(told);
}

RunState TrainCheckpoints::restore(const Parameters& parameters, ZeroOptimizer& optimizer) {
  Parts& p = *parts_;
  p.begin_memory(optimizer);
  const std::optional<checkpoint::Checkpoint> found = p.find_to_resume();
  if (!found) {
    p.start(parameters, optimizer);
    return {};
  }
  p.require_fit(*found);
  if (found->state().find("run") == nullptr) {
    throw DataError(found->folder(),
                    "holds weights and nothing of a run to go on with (wan-convert made it): name it as "
                    "checkpoint.pretrained_checkpoint, and another folder as checkpoint.save");
  }
  p.tell_changes(*found);
  RunState state = run_state_from_json(found->state().at("run"), found->folder());
  load_weights(p.device, *found, parameters, optimizer);
  load_average(p.device, *found, optimizer);
  if (p.moments_count(*found)) {
    load_moments(p.device, *found, optimizer);
  } else {
    state.updates = 0;  // the moments start anew, and with them their bias correction
  }
  p.set_later_aside(*found);
  log::info(cat("going on from ", found->folder()));
  return state;
}

std::optional<checkpoint::Checkpoint> TrainCheckpoints::Parts::find_to_resume() const {
  const int threads = io_threads(runtime, config);
  const Place place = place_to_resume(config.checkpoint);
  if (elsewhere(place)) {
    std::optional<checkpoint::Checkpoint> own =
        checkpoint::open_newest(runtime.world(), run_folder, {-1, true, threads});
    if (own) return own;
  } else if (place.step && went_back_before(place)) {
    log::info(cat(run_folder, " went back to step ", *place.step,
                  " before and goes on from there; without its later iterations it goes back again"));
    return checkpoint::open_newest(runtime.world(), run_folder, {-1, true, threads});
  }
  return checkpoint::open_newest(runtime.world(), place.run, {place.step.value_or(-1), true, threads});
}

bool TrainCheckpoints::Parts::elsewhere(const Place& place) const {
  std::error_code not_there;
  const bool same = std::filesystem::equivalent(place.run, run_folder, not_there);
  return max_over(runtime.world(), std::int64_t{same ? 0 : 1}) != 0;
}

bool TrainCheckpoints::Parts::went_back_before(const Place& place) const {
  bool before = false;
  do_together(runtime.world(), [&] {
    if (runtime.rank() != 0) return;
    for (const std::int64_t later : checkpoint::iterations_in(run_folder)) {
      if (later <= *place.step) return;
      try {
        const std::string folder = run_folder + "/" + checkpoint::iteration_name(later);
        const Place wished = place_to_resume(config_of(folder).checkpoint);
        before = wished.run == place.run && wished.step == place.step;
        return;
      } catch (const Error&) {
        // A damaged one tells nothing; the one before it may.
      }
    }
  });
  return max_over(runtime.world(), std::int64_t{before ? 1 : 0}) != 0;
}

/// Without checkpoint.load_optim the moments of what a run begins from are left out, but not its own: those
/// of a checkpoint that was made under the same wish, or in the run's folder when it was begun elsewhere.
bool TrainCheckpoints::Parts::moments_count(const checkpoint::Checkpoint& found) const {
  if (config.checkpoint.load_optim) return true;
  if (found.folder().rfind(run_folder + "/", 0) != 0) return false;
  return elsewhere(place_to_resume(config.checkpoint)) || !config_of(found.folder()).checkpoint.load_optim;
}

void TrainCheckpoints::Parts::set_later_aside(const checkpoint::Checkpoint& found) const {
  const Place place = place_to_resume(config.checkpoint);
  if (place.step != found.step() || elsewhere(place)) return;
  do_together(runtime.world(), [&] {
    if (runtime.rank() != 0) return;
    const std::vector<std::int64_t> later = checkpoint::set_later_aside(run_folder, found.step());
    if (later.empty()) return;
    log::warn(cat(run_folder, ": going back to step ", found.step(), "; ", later.size(),
                  " later iterations, up to ", later.front(), ", are set aside as iter_….aside.N"));
  });
}

void TrainCheckpoints::Parts::require_fit(const checkpoint::Checkpoint& found) const {
  require_same_model(dit_config(config.model), dit_config(config_of(found.folder()).model), found.folder());
  const Json* before = found.state().find("origin");
  if (before != nullptr && config.dataset.path) {
    require_same_origin(*config.dataset.path, origin, *before, found.folder());
  }
}

void TrainCheckpoints::Parts::tell_changes(const checkpoint::Checkpoint& found) const {
  const TrainConfig before = config_of(found.folder());
  std::vector<std::string> changes;
  for (const KeyDifference& each : differences(before, config)) {
    if (changes_training(each.key)) changes.push_back(cat(each.key, " ", each.before, " -> ", each.now));
  }
  if (changes.empty() || runtime.rank() != 0) return;
  log::warn(cat("training goes on otherwise than ", found.folder(), " was trained: ", join(changes, ", ")));
}

void TrainCheckpoints::Parts::start(const Parameters& parameters, ZeroOptimizer& optimizer) const {
  const TrainConfig::Checkpoint& wish = config.checkpoint;
  if (wish.exit_on_missing_checkpoint) {
    throw NoInputError(wish.load_folder(),
                       "holds no checkpoint, and checkpoint.exit_on_missing_checkpoint is set");
  }
  if (wish.pretrained_checkpoint) {
    load_pretrained(*wish.pretrained_checkpoint, parameters, optimizer);
    return;
  }
  log::info(cat(wish.load_folder(), " holds no checkpoint: starting at step 0 from seed ", config.rng.seed));
}

void TrainCheckpoints::Parts::load_pretrained(const std::string& place, const Parameters& parameters,
                                              ZeroOptimizer& optimizer) const {
  const std::optional<checkpoint::Checkpoint> run =
      checkpoint::open_place(runtime.world(), place, {-1, true, io_threads(runtime, config)});
  if (run) {
    require_fit(*run);
    load_weights(device, *run, parameters, optimizer);
    log::info(cat("starting at step 0 from the weights of ", run->folder()));
    return;
  }
  const std::string model = find_model_folder(place);
  const std::string transformer = model + "/transformer";
  const std::string file = transformer + "/config.json";
  const DitConfig expected = dit_config(config.model);
  require_same_model(expected, DitConfig::from_json(Json::parse_file(file), file), file);
  if (config.dataset.path) {
    require_origin_of_folder(runtime.world(), *config.dataset.path, origin, model, FolderParts::all);
  }
  const WeightSet weights = WeightSet::open_component(transformer);
  take_weights(device, weight_source(weights, dit_weight_names(expected)), parameters, optimizer);
  log::info(cat("starting at step 0 from the weights of ", transformer));
}

void TrainCheckpoints::Parts::begin_memory(const ZeroOptimizer& optimizer) {
  std::int64_t bytes = 0;
  for (const StatePart& part : state_parts(optimizer)) bytes += part.values.bytes();
  coming_memory = std::async(std::launch::async, [owner = &device, bytes] {
    return std::shared_ptr<void>(owner->allocate_pinned(bytes),
                                 [owner](void* block) { owner->release_pinned(block); });
  });
}

void TrainCheckpoints::Parts::take_memory(bool wait) {
  if (!coming_memory.valid()) return;
  if (wait || coming_memory.wait_for(std::chrono::seconds(0)) == std::future_status::ready) {
    memory = coming_memory.get();
  }
}

checkpoint::Snapshot TrainCheckpoints::Parts::snapshot(const RunState& state,
                                                       const ZeroOptimizer& optimizer) {
  checkpoint::Snapshot out;
  take_memory(true);
  const DeviceRange range(device, "checkpoint snapshot");
  auto* const begin = static_cast<std::byte*>(memory.get());
  std::byte* next = begin;
  for (const StatePart& part : state_parts(optimizer)) {
    device.copy(next, part.values.data, part.values.bytes());
    out.parts.push_back({part.file, part.path, part.values.dtype, part.part, next});
    next += part.values.bytes();
  }
  device.synchronize();
  under_way = {state.step, sum_over(runtime.world(), static_cast<std::int64_t>(next - begin))};
  out.step = state.step;
  out.state.set("run", to_json(state));
  out.state.set("seed", config.rng.seed);
  out.state.set("origin", origin);
  out.config = dump_yaml(config);
  out.memory = memory;
  return out;
}

void TrainCheckpoints::Parts::note(const std::optional<checkpoint::SaveReport>& report) {
  if (!report) return;
  if (report->outcome.good() && told) {
    under_way.write_s = report->seconds;
    told(under_way);
  }
  failed_in_row = report->outcome.good() ? 0 : failed_in_row + 1;
  last_failure = report->outcome.message;
  // Going on loses less than ending does, but not from weights or moments that are no numbers.
  if (report->outcome.code == ExitCode::numeric) throw SharedError(report->outcome);
  if (runtime.rank() != 0) return;
  if (failed_in_row > 0) {
    log::warn(cat("checkpoint of step ", report->step, " failed, training goes on: ", last_failure,
                  failed_in_row > 1 ? cat("; ", failed_in_row, " saves in a row have failed") : ""));
  } else {
    log::info(cat("checkpoint step=", report->step, " folder=", run_folder, "/",
                  checkpoint::iteration_name(report->step), " seconds=", report->seconds,
                  " stall_ms=", under_way.stall_s * 1e3,
                  " gb_per_s=", 1e-9 * static_cast<double>(under_way.bytes) / report->seconds));
  }
}

void TrainCheckpoints::save(const RunState& state, const ZeroOptimizer& optimizer) {
  const auto begin = std::chrono::steady_clock::now();
  Parts& p = *parts_;
  p.note(p.saver.wait());
  p.saver.start(p.snapshot(state, optimizer));
  std::optional<checkpoint::SaveReport> written;
  if (!p.config.checkpoint.async_save) written = p.saver.wait();
  p.under_way.stall_s = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  p.note(written);
}

void TrainCheckpoints::poll() {
  parts_->take_memory(false);
  parts_->note(parts_->saver.poll());
}

void TrainCheckpoints::finish() {
  parts_->note(parts_->saver.wait());
  if (parts_->failed_in_row > 0)
    throw IoError(parts_->run_folder, 0, "the last checkpoint failed: " + parts_->last_failure);
}

}  // namespace wan
