#include <algorithm>
#include <chrono>
#include <cstdio>
#include <functional>
#include <vector>

#include "base/error.hpp"
#include "base/json.hpp"
#include "device/open_device.hpp"
#include "model/vae/vae_streams.hpp"
#include "runtime/run_main.hpp"
#include "sample/denoiser.hpp"
#include "train/flow_step.hpp"
#include "train/zero_optimizer.hpp"
#include "weights/weight_set.hpp"

// The demo model timed as peer_cpu.py times PyTorch on it: mpirun -n 2 demo_bench MODEL_FOLDER. One JSON
// line.
namespace {

using namespace wan;

constexpr std::int64_t batch = 16;
constexpr std::int64_t text_rows = 18;  // and one that stands for the padded rows

double median_ms(const Runtime& runtime, int runs, const std::function<void()>& action) {
  action();
  std::vector<double> times;
  for (int run = 0; run < runs; ++run) {
    runtime.world().barrier();
    const auto start = std::chrono::steady_clock::now();
    action();
    runtime.world().barrier();
    times.push_back(
        std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - start).count());
  }
  std::sort(times.begin(), times.end());
  return times[times.size() / 2];
}

MicroBatch share_of_batch(const Runtime& runtime, const DitConfig& config) {
  MicroBatch out;
  const LatentShape latent{config.in_channels, 5, 8, 8};
  out.pack.text_width = config.text_dim;
  for (std::int64_t i = 0; i < batch / runtime.size(); ++i) {
    const auto id = static_cast<std::uint64_t>(runtime.rank() * batch + i);
    out.pack.samples.push_back({id, 0, latent, text_rows});
  }
  const auto samples = static_cast<std::int64_t>(out.pack.samples.size());
  out.pack.latents.resize(static_cast<std::size_t>(samples * latent.elements()));
  out.pack.text.resize(static_cast<std::size_t>(samples * text_rows * config.text_dim));
  fill_normal(random_key(1, 0, 0, Purpose::mock_latent), 0,
              static_cast<std::int64_t>(out.pack.latents.size()), out.pack.latents.data());
  fill_normal(random_key(1, 0, 0, Purpose::mock_text), 0, static_cast<std::int64_t>(out.pack.text.size()),
              out.pack.text.data());
  out.step_samples = batch;
  out.step_tokens = batch * latent.tokens();
  out.last = true;
  return out;
}

double train_step_ms(const Runtime& runtime, Device& device, const DitConfig& config) {
  Dit dit(config, DType::f32);
  dit.place(device, true);
  dit.parameters().initialise(device, 1);
  ZeroOptimizer optimizer(device, dit.parameters(), runtime.world(), {}, false);
  const MicroBatch data = share_of_batch(runtime, config);
  const TextEmbedding null_text{1, config.text_dim,
                                std::vector<float>(static_cast<std::size_t>(config.text_dim))};
  FlowStep::Options options;
  const auto samples = static_cast<std::int64_t>(data.pack.samples.size());
  options.bounds = {data.pack.tokens(), samples * text_rows, samples};
  options.flow.text_dropout = 0;
  FlowStep flow(device, dit, null_text, options);
  std::int64_t step = 0;
  return median_ms(runtime, 21, [&] {
    dit.parameters().zero_gradients(device);
    flow.accumulate(data);
    for (std::size_t unit = dit.parameters().units().size(); unit-- > 0;) optimizer.reduce(unit);
    optimizer.measure_gradient();
    optimizer.update(1e-3, ++step);
    (void)flow.take_losses();
    (void)optimizer.outcome();
  });
}

double guided_step_ms(const Runtime& runtime, Device& device, const DitConfig& config) {
  Dit dit(config, DType::f32);
  dit.place(device, false);
  dit.parameters().initialise(device, 1);
  const TextEmbedding prompt{text_rows, config.text_dim,
                             std::vector<float>(static_cast<std::size_t>(text_rows * config.text_dim), 0.1F)};
  std::vector<DenoiseItem> items(1);
  items[0].grid = {5, 4, 4};
  items[0].prompt = &prompt;
  items[0].negative = &prompt;
  items[0].latent.assign(static_cast<std::size_t>(items[0].grid.tokens() * 4 * config.in_channels), 0.5F);
  DenoiseSettings settings;
  settings.steps = 30;
  const Communicator branches = runtime.size() == 2 ? runtime.world() : Communicator();
  const Denoiser denoiser(device, dit, settings, branches);
  std::vector<double> times;
  auto last = std::chrono::steady_clock::now();
  const DenoiseReport report = denoiser.run(items, [&](std::int64_t) {
    const auto now = std::chrono::steady_clock::now();
    times.push_back(std::chrono::duration<double, std::milli>(now - last).count());
    last = now;
    return true;
  });
  if (!report.whole) throw InternalError("the sampling steps ended early");
  std::sort(times.begin(), times.end());
  return times[times.size() / 2];
}

ExitCode measure(Runtime& runtime, const std::string& folder) {
  DeviceOptions options;
  options.threads = runtime.threads();
  const std::unique_ptr<Device> device = open_device(options);
  const DitConfig config =
      DitConfig::from_json(Json::parse_file(folder + "/transformer/config.json"), folder);

  Json out;
  out.set("ranks", runtime.size());
  out.set("train_step_ms", train_step_ms(runtime, *device, config));
  out.set("guided_step_ms", guided_step_ms(runtime, *device, config));

  const WeightSet weights = WeightSet::open_component(folder + "/vae");
  const Vae vae(
      *device, VaeConfig::from_json(Json::parse_file(folder + "/vae/config.json"), folder),
      [&](const ParameterSpec& spec, float* to) { weights.read(spec.name, spec.shape, to); }, DType::f32);
  std::vector<std::uint8_t> clip(17 * 64 * 64 * 3);
  for (std::size_t i = 0; i < clip.size(); ++i) clip[i] = static_cast<std::uint8_t>(i * 2654435761U >> 24);
  const Tensor video(clip.data(), DType::u8, {17, 64, 64, 3});
  // Every rank takes a clip at the same time: the time of one clip is that of all, divided.
  VaeEncoder encoder(vae, {64, 64, 5});
  out.set("vae_encode_ms", median_ms(runtime, 9, [&] {
                             encoder.begin_clip();
                             (void)encoder.push(video);
                             device->synchronize();
                           }) / runtime.size());
  VaeDecoder decoder(vae, {64, 64, 5});
  std::vector<float> latent(16 * 5 * 8 * 8);
  fill_normal(random_key(1, 0, 0, Purpose::mock_latent), 0, static_cast<std::int64_t>(latent.size()),
              latent.data());
  const Tensor latents(latent.data(), DType::f32, {16, 5 * 8 * 8});
  out.set("vae_decode_ms", median_ms(runtime, 9, [&] {
                             decoder.begin_clip();
                             (void)decoder.push(latents);
                             device->synchronize();
                           }) / runtime.size());
  if (runtime.rank() == 0) std::puts(out.dump().c_str());
  return ExitCode::done;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) {
    std::fprintf(stderr, "usage: demo_bench MODEL_FOLDER\n");
    return static_cast<int>(wan::ExitCode::usage);
  }
  return wan::run_main([&](wan::Runtime& runtime) { return measure(runtime, argv[1]); });
}
