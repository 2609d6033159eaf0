// dit_step MODEL_FOLDER [SAMPLES] [--steps train,guided,forward] [--recompute POLICY] [--layers N] [--ops]
//          [--bf16] [--grid F,R,C[;F,R,C…]] [--text ROWS] [--runs N] [--warm-up N] [--deterministic]
//          [--serve]
//
// Times the DiT of a model folder's configuration, with random weights, on the device of this build
// (WAN_DEVICE): a training step's forward, loss gradient, backward and AdamW on SAMPLES (8) samples of F x R
// x C (5,4,4) tokens (of several grids: SAMPLES of each, in one pack) with ROWS (18) text rows each, one
// guided denoising step, or (--steps forward) one forward. --ops lists every op and adds up those that are
// one library kernel each (library_ms), --deterministic asks for the same bits in every run. Prints one JSON
// line. With
// --serve the model stays where it is: every line of standard input, flags that win over the command line's,
// is measured and answered by its own JSON line.
#include <algorithm>
#include <cstdio>
#include <ctime>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/error.hpp"
#include "base/text.hpp"
#include "bench/timing.hpp"
#include "device/open_device.hpp"
#include "device/ops.hpp"
#include "device/ops/plan/plan_ops.hpp"
#include "model/dit/dit.hpp"
#include "sample/shared_start.hpp"
#include "support/tensors.hpp"
#include "support/timed_device.hpp"

namespace {

using namespace wan;
using test::Owned;

struct Options {
  std::string folder;
  std::int64_t samples = 8;
  DType storage = DType::f32;
  bool list_ops = false;
  std::vector<Grid> grids = {{5, 4, 4}};
  std::int64_t text = 18;
  int runs = 20;
  int warm_up = 2;
  Recompute recompute = Recompute::none;
  bool deterministic = false;
  std::int64_t layers = 0;  ///< 0: as configured
  std::vector<std::string> steps = {"train", "guided"};
  bool serve = false;

  /// `count` samples of each grid.
  [[nodiscard]] std::vector<PackSample> pack(std::int64_t count) const {
    std::vector<PackSample> out;
    for (const Grid& grid : grids)
      out.insert(out.end(), static_cast<std::size_t>(count), PackSample{grid, 500, text});
    return out;
  }
  [[nodiscard]] bool wants(const std::string& step) const {
    return std::find(steps.begin(), steps.end(), step) != steps.end();
  }
};

/// A pack, loaded, with an arena for it.
struct Batch {
  Batch(Device& device, const Dit& dit, const Options& options, const std::vector<PackSample>& samples,
        bool train)
      : multiple(row_multiple(device.kind())),
        pack(samples, multiple),
        capacity{pack.tokens(), pack.text_rows(), static_cast<std::int64_t>(pack.samples().size())},
        buffers(device, capacity, multiple),
        view(buffers.load(pack)) {
    PlanOps plan;
    const std::int64_t bytes = train ? dit.train_bytes(plan, capacity, multiple, options.recompute)
                                     : dit.predict_bytes(plan, capacity, multiple);
    memory = DeviceBuffer(device, bytes);
    arena = std::make_unique<Arena>(memory.data(), bytes);
    const Shape flat = {pack.tokens() * 4 * dit.config().in_channels};
    latents = test::random(device, DType::f32, flat, 1);
    target = test::random(device, DType::f32, flat, 2);
    text = test::random(device, dit.storage(), {pack.text_rows(), dit.config().text_dim}, 3);
    prediction = test::zeros(device, DType::f32, flat);
    gradient = test::zeros(device, DType::f32, flat);
    losses = test::zeros(device, DType::f32, {capacity.samples});
  }

  std::int64_t multiple;
  Pack pack;
  PackCapacity capacity;
  PackBuffers buffers;
  PackView view;
  DeviceBuffer memory;
  std::unique_ptr<Arena> arena;
  Owned latents, target, text, prediction, gradient, losses;
};

/// AdamW's state for every unit of an fp32 model.
struct Moments {
  Moments(Device& device, const Dit& dit) : scale(device, DType::f32, {1}, {1}) {
    for (const ParameterUnit& unit : dit.parameters().units()) {
      for (std::vector<DeviceTensor>* state : {&first, &second, &master}) {
        const Tensor& part = state->emplace_back(device, DType::f32, Shape{unit.trainable_elements()}).view;
        device.zero(part.data, part.bytes());
      }
    }
  }

  void update(Device& device, const Dit& dit) {
    ++step;
    for (std::size_t u = 0; u < first.size(); ++u) {
      const ParameterUnit& unit = dit.parameters().unit(u);
      for (const auto& [begin, weights] : unit.weight_runs()) {
        const auto part = [begin = begin, count = weights.elements()](const Tensor& all) {
          return Tensor(all.as<float>() + begin, DType::f32, {count});
        };
        AdamW a;
        a.gradient = part(unit.gradients());
        a.gradient_scale = scale;
        a.exp_avg = part(first[u].view);
        a.exp_avg_sq = part(second[u].view);
        a.master = weights.dtype == DType::f32 ? weights : part(master[u].view);
        a.parameter = weights;
        a.decayed = unit.decayed(begin, begin + weights.elements());
        a.lr = 1e-6F;
        a.step = step;
        device.ops().adamw(a);
      }
    }
  }

  Owned scale;
  std::vector<DeviceTensor> first, second, master;
  std::int64_t step = 0;
};

/// Normals of the size of a trained model's weights, made on the device.
void randomise(Device& device, const Dit& dit) {
  std::uint64_t number = 0;
  for (const ParameterUnit& unit : dit.parameters().units()) {
    for (const auto& [begin, weights] : unit.weight_runs()) {
      const DeviceTensor normals(device, DType::f32, {weights.elements()});
      FillNormal fill;
      fill.keys = {random_key(1, ++number, 0, Purpose::initialise)};
      fill.offset = {0, weights.elements()};
      fill.out = normals.view;
      device.ops().fill_normal(fill);
      device.ops().axpby({0.02F, normals.view, 0, weights});
      device.synchronize();
    }
  }
}

/// Times `step` into `out` as `name`_ms and `name`_times_ms. Nothing has been given back when it ends: what
/// is in use then is the peak, a GPU's context and other programs included.
void time_step(Device& device, const Options& options, const std::string& name, Json& out,
               const std::function<void()>& step) {
  const std::clock_t start = std::clock();
  const std::vector<double> times = bench::times_ms(device, options.warm_up, options.runs, step);
  const double cpu = static_cast<double>(std::clock() - start) / CLOCKS_PER_SEC;
  out.set(name + "_ms", bench::median(times));
  out.set(name + "_times_ms", bench::to_json(times));
  out.set(name + "_cpu_ms", cpu / (options.warm_up + options.runs) * 1e3);
  out.set("device_gib", bench::device_gib(device));
}

/// Forward, loss gradient, backward and AdamW.
void time_training(Device& device, const Dit& dit, const Options& options, Json& out) {
  Batch batch(device, dit, options, options.pack(options.samples), true);
  Moments moments(device, dit);
  DitSaved saved;
  saved.recompute = options.recompute;
  time_step(device, options, "train_step", out, [&] {
    const Arena::Scope scope(*batch.arena);
    const Walk walk(device, *batch.arena);
    dit.parameters().zero_gradients(device);
    dit.forward(walk, batch.view, batch.latents, batch.text, saved, batch.prediction);
    FlowLoss loss;
    loss.prediction = batch.prediction;
    loss.target = batch.target;
    loss.weight.assign(batch.pack.samples().size(), 1.0F);
    for (const std::int64_t token : batch.pack.layout().offset)
      loss.offset.push_back(token * 4 * dit.config().in_channels);
    loss.loss = batch.losses;
    loss.raw = batch.losses;
    loss.gradient = batch.gradient;
    device.ops().flow_loss(loss);
    dit.backward(walk, batch.view, saved, batch.gradient);
    moments.update(device, dit);
  });
}

/// One step of sampling as a Denoiser takes it: the conditioned and the unconditioned branch of one clip as a
/// pack of two, with what they have in common computed once.
void time_guided(Device& device, const Dit& dit, const Options& options, Json& out) {
  std::vector<PackSample> samples = options.pack(1);
  const std::vector<PackSample> branch = samples;
  samples.insert(samples.end(), branch.begin(), branch.end());
  Batch pair(device, dit, options, samples, false);
  const TextCache cache(device, dit.storage(), dit.config().num_layers, pair.pack.text_rows(),
                        dit.config().dim());
  const Walk walk(device, *pair.arena);
  dit.fill_text_cache(walk, pair.view, pair.text, cache);
  const TimeCache times(device, 1, dit.config().dim());
  const Owned timestep(device, DType::f32, {1}, {500});
  dit.fill_time_cache(walk, timestep, times);
  const std::int64_t rows = pair.pack.rows();
  const Owned one_time =
      Owned::integers(device, {rows}, std::vector<std::int32_t>(static_cast<std::size_t>(rows)));
  PackView view = pair.view;
  view.row_index = one_time;
  const SharedStart start(device, dit, branch, rows);
  const Tensor latents = pair.latents;
  const Tensor half{latents.data, latents.dtype, {latents.elements() / 2}};
  time_step(device, options, "guided_step", out, [&] {
    start.compute(walk, half, times, 0, 2);
    dit.predict_rest(walk, view, start.of(rows), cache, times, 0, pair.prediction);
  });
}

/// One forward, the text's part included.
void time_forward(Device& device, const Dit& dit, const Options& options, Json& out) {
  Batch batch(device, dit, options, options.pack(options.samples), false);
  const Walk walk(device, *batch.arena);
  time_step(device, options, "forward", out,
            [&] { dit.predict(walk, batch.view, batch.latents, batch.text, batch.prediction); });
}

/// The steps that `options` name, of a model that is placed on `device`.
Json measure(test::TimedDevice& device, const Dit& dit, const Options& options) {
  std::int64_t tokens = 0;
  for (const Grid& grid : options.grids) tokens += options.samples * grid.tokens();
  Json out;
  out.set("device", device.description());
  out.set("samples", options.samples * static_cast<std::int64_t>(options.grids.size()));
  out.set("tokens", tokens);
  device.measure(options.list_ops);
  for (const auto& [name, step] : {std::pair{"train", &time_training}, std::pair{"guided", &time_guided},
                                   std::pair{"forward", &time_forward}}) {
    if (!options.wants(name)) continue;
    device.clear();
    step(device, dit, options, out);
    if (!options.list_ops) continue;
    device.print(options.warm_up + options.runs);
    out.set("library_ms", device.library_ms(options.warm_up + options.runs));
  }
  return out;
}

Recompute policy_named(const std::string& name) {
  for (const Recompute policy :
       {Recompute::none, Recompute::norms, Recompute::keep_attention, Recompute::full}) {
    if (name == name_of(policy)) return policy;
  }
  throw UsageError("--recompute wants none, norms, keep_attention or full, not " + name);
}

Grid grid_of(const std::string& text) {
  const std::vector<std::string> parts = split(text, ',');
  if (parts.size() != 3) throw UsageError("--grid wants three numbers, F,R,C, not " + text);
  return {std::stoll(parts[0]), std::stoll(parts[1]), std::stoll(parts[2])};
}

/// `base` with what `words` change.
Options parse(const std::vector<std::string>& words, const Options& base = {}) {
  Options out = base;
  std::vector<std::string> plain;
  for (std::size_t i = 0; i < words.size(); ++i) {
    const std::string& word = words[i];
    const auto value = [&] {
      if (i + 1 >= words.size()) throw UsageError(word + " needs a value");
      return words[++i];
    };
    if (word == "--ops") {
      out.list_ops = true;
    } else if (word == "--deterministic") {
      out.deterministic = true;
    } else if (word == "--bf16") {
      out.storage = DType::bf16;
    } else if (word == "--serve") {
      out.serve = true;
    } else if (word == "--grid") {
      out.grids.clear();
      for (const std::string& grid : split(value(), ';')) out.grids.push_back(grid_of(grid));
    } else if (word == "--text") {
      out.text = std::stoll(value());
    } else if (word == "--layers") {
      out.layers = std::stoll(value());
    } else if (word == "--steps") {
      out.steps = split(value(), ',');
    } else if (word == "--recompute") {
      out.recompute = policy_named(value());
    } else if (word == "--runs") {
      out.runs = std::stoi(value());
    } else if (word == "--warm-up") {
      out.warm_up = std::stoi(value());
    } else {
      plain.push_back(word);
    }
  }
  if (!plain.empty()) out.folder = plain[0];
  if (plain.size() == 2) out.samples = std::stoll(plain[1]);
  if (out.folder.empty() || plain.size() > 2) {
    throw UsageError(
        "usage: dit_step MODEL_FOLDER [SAMPLES] [--ops] [--bf16] [--grid F,R,C[;F,R,C...]] [--text ROWS] "
        "[--runs N] [--warm-up N] [--recompute POLICY] [--steps train,guided,forward] [--layers N] "
        "[--deterministic] [--serve]");
  }
  return out;
}

void run(const Options& options) {
  DeviceOptions device_options;
  device_options.threads = 1;
  device_options.deterministic = options.deterministic;
  const std::unique_ptr<Device> opened = open_device(device_options);
  test::TimedDevice device(*opened);
  device.measure(false);
  const std::string file = options.folder + "/transformer/config.json";
  DitConfig config = DitConfig::from_json(Json::parse_file(file), file);
  if (options.layers > 0) config.num_layers = options.layers;
  Dit dit(config, options.storage);
  dit.place(device, options.wants("train"));
  randomise(device, dit);
  if (options.serve) {
    bench::serve(
        [&](const std::vector<std::string>& words) { return measure(device, dit, parse(words, options)); });
  } else {
    std::printf("%s\n", measure(device, dit, options).dump().c_str());
  }
}

}  // namespace

int main(int count, char** words) {
  try {
    run(parse({words + 1, words + count}));
    return 0;
  } catch (const Error& error) {
    std::fprintf(stderr, "dit_step: %s\n", error.what());
    return static_cast<int>(error.code());
  }
}
