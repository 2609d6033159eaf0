// dit_step MODEL_FOLDER [SAMPLES] [--steps train,guided,forward] [--recompute POLICY] [--layers N] [--ops]
//          [--bf16] [--grid F,R,C] [--text ROWS] [--runs N] [--deterministic]
//
// Times the DiT of a model folder's configuration, with random weights, on the device of this build
// (WAN_DEVICE): a training step's forward, loss gradient, backward and AdamW on SAMPLES (8) samples of F x R
// x C (5,4,4) tokens with ROWS (18) text rows each, one guided denoising step, or (--steps forward) one
// forward. --ops lists every op, --deterministic asks for the same bits in every run. Prints one JSON line.
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <ctime>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/error.hpp"
#include "base/text.hpp"
#include "device/open_device.hpp"
#include "device/ops.hpp"
#include "device/ops/plan/plan_ops.hpp"
#include "model/dit/dit.hpp"
#include "support/tensors.hpp"
#include "support/timed_device.hpp"

namespace {

using namespace wan;
using test::Owned;

constexpr int warm_up = 2;
constexpr double gib = 1024.0 * 1024.0 * 1024.0;

struct Options {
  std::string folder;
  std::int64_t samples = 8;
  DType storage = DType::f32;
  bool list_ops = false;
  Grid grid{5, 4, 4};
  std::int64_t text = 18;
  int runs = 20;
  Recompute recompute = Recompute::none;
  bool deterministic = false;
  std::int64_t layers = 0;  ///< 0: as configured
  std::vector<std::string> steps = {"train", "guided"};

  [[nodiscard]] bool wants(const std::string& step) const {
    return std::find(steps.begin(), steps.end(), step) != steps.end();
  }
};

/// Milliseconds of one step: the median that passes, and the CPU time that this process uses.
struct StepTime {
  double wall_ms = 0;
  double cpu_ms = 0;
};

StepTime time_of(Device& device, int runs, const std::function<void()>& step) {
  std::vector<double> times;
  std::clock_t cpu_start = 0;
  for (int run = 0; run < runs + warm_up; ++run) {
    if (run == warm_up) cpu_start = std::clock();
    const auto start = std::chrono::steady_clock::now();
    step();
    device.synchronize();
    if (run >= warm_up) {
      times.push_back(std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count());
    }
  }
  const double cpu = static_cast<double>(std::clock() - cpu_start) / CLOCKS_PER_SEC;
  std::sort(times.begin(), times.end());
  return {times[times.size() / 2] * 1e3, cpu / runs * 1e3};
}

/// Samples of one shape, loaded, with an arena for them.
struct Batch {
  Batch(Device& device, const Dit& dit, const Options& options, std::int64_t samples, bool train)
      : multiple(row_multiple(device.kind())),
        pack(std::vector<PackSample>(static_cast<std::size_t>(samples), {options.grid, 500, options.text}),
             multiple),
        capacity{pack.tokens(), pack.text_rows(), samples},
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
    losses = test::zeros(device, DType::f32, {samples});
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

/// Forward, loss gradient, backward and AdamW.
void time_training(Device& device, const Dit& dit, const Options& options, Json& out) {
  Batch batch(device, dit, options, options.samples, true);
  Moments moments(device, dit);
  DitSaved saved;
  saved.recompute = options.recompute;
  const StepTime time = time_of(device, options.runs, [&] {
    const Arena::Scope scope(*batch.arena);
    const Walk walk(device, *batch.arena);
    dit.parameters().zero_gradients(device);
    dit.forward(walk, batch.view, batch.latents, batch.text, saved, batch.prediction);
    FlowLoss loss;
    loss.prediction = batch.prediction;
    loss.target = batch.target;
    loss.weight.assign(static_cast<std::size_t>(options.samples), 1.0F);
    for (const std::int64_t token : batch.pack.layout().offset)
      loss.offset.push_back(token * 4 * dit.config().in_channels);
    loss.loss = batch.losses;
    loss.raw = batch.losses;
    loss.gradient = batch.gradient;
    device.ops().flow_loss(loss);
    dit.backward(walk, batch.view, saved, batch.gradient);
    moments.update(device, dit);
  });
  // Nothing was given back so far: what is not free now is the peak, a GPU's context included.
  const DeviceMemory memory = device.memory().value_or(DeviceMemory());
  out.set("train_step_ms", time.wall_ms);
  out.set("train_step_cpu_ms", time.cpu_ms);
  out.set("recompute", name_of(options.recompute));
  out.set("activations_gib", static_cast<double>(batch.memory.bytes()) / gib);
  out.set("train_device_gib", static_cast<double>(memory.total - memory.free) / gib);
}

/// One denoising step of both guidance branches, with the text's keys and values at hand.
void time_guided(Device& device, const Dit& dit, const Options& options, Json& out) {
  Batch pair(device, dit, options, 2, false);
  const TextCache cache(device, dit.storage(), dit.config().num_layers, pair.pack.text_rows(),
                        dit.config().dim());
  const Walk walk(device, *pair.arena);
  dit.fill_text_cache(walk, pair.view, pair.text, cache);
  const StepTime time = time_of(device, options.runs,
                                [&] { dit.predict(walk, pair.view, pair.latents, cache, pair.prediction); });
  out.set("guided_step_ms", time.wall_ms);
  out.set("guided_step_cpu_ms", time.cpu_ms);
}

/// One forward, the text's part included.
void time_forward(Device& device, const Dit& dit, const Options& options, Json& out) {
  Batch batch(device, dit, options, options.samples, false);
  const Walk walk(device, *batch.arena);
  const StepTime time = time_of(device, options.runs, [&] {
    dit.predict(walk, batch.view, batch.latents, batch.text, batch.prediction);
  });
  out.set("forward_ms", time.wall_ms);
}

void run(const Options& options) {
  DeviceOptions device_options;
  device_options.threads = 1;
  device_options.deterministic = options.deterministic;
  const std::unique_ptr<Device> opened = open_device(device_options);
  test::TimedDevice timed(*opened);
  Device& device = options.list_ops ? static_cast<Device&>(timed) : *opened;
  const std::string file = options.folder + "/transformer/config.json";
  DitConfig config = DitConfig::from_json(Json::parse_file(file), file);
  if (options.layers > 0) config.num_layers = options.layers;
  Dit dit(config, options.storage);
  dit.place(device, options.wants("train"));
  randomise(device, dit);
  Json out;
  out.set("device", device.description());
  out.set("samples", options.samples);
  out.set("tokens", options.samples * options.grid.tokens());
  for (const auto& [name, measure] : {std::pair{"train", &time_training}, std::pair{"guided", &time_guided},
                                      std::pair{"forward", &time_forward}}) {
    if (!options.wants(name)) continue;
    timed.clear();
    measure(device, dit, options, out);
    if (options.list_ops) timed.print(options.runs + warm_up);
  }
  std::printf("%s\n", out.dump().c_str());
}

Recompute policy_named(const std::string& name) {
  for (const Recompute policy :
       {Recompute::none, Recompute::norms, Recompute::keep_attention, Recompute::full}) {
    if (name == name_of(policy)) return policy;
  }
  throw UsageError("--recompute wants none, norms, keep_attention or full, not " + name);
}

Options parse(int count, char** words) {
  Options out;
  std::vector<std::string> plain;
  for (int i = 1; i < count; ++i) {
    const std::string word = words[i];
    const auto value = [&] {
      if (i + 1 >= count) throw UsageError(word + " needs a value");
      return std::string(words[++i]);
    };
    if (word == "--ops") {
      out.list_ops = true;
    } else if (word == "--deterministic") {
      out.deterministic = true;
    } else if (word == "--bf16") {
      out.storage = DType::bf16;
    } else if (word == "--grid") {
      const std::vector<std::string> parts = split(value(), ',');
      if (parts.size() != 3) throw UsageError("--grid wants three numbers, F,R,C");
      out.grid = {std::stoll(parts[0]), std::stoll(parts[1]), std::stoll(parts[2])};
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
    } else {
      plain.push_back(word);
    }
  }
  if (plain.empty() || plain.size() > 2) {
    throw UsageError(
        "usage: dit_step MODEL_FOLDER [SAMPLES] [--ops] [--bf16] [--grid F,R,C] [--text ROWS] [--runs N] "
        "[--recompute POLICY] [--steps train,guided,forward] [--layers N] [--deterministic]");
  }
  out.folder = plain[0];
  if (plain.size() == 2) out.samples = std::stoll(plain[1]);
  return out;
}

}  // namespace

int main(int count, char** words) {
  try {
    run(parse(count, words));
    return 0;
  } catch (const Error& error) {
    std::fprintf(stderr, "dit_step: %s\n", error.what());
    return static_cast<int>(error.code());
  }
}
