#include <benchmark/benchmark.h>

#include "base/json.hpp"
#include "device/frame_ops.hpp"
#include "model/vae/vae_streams.hpp"
#include "support/tensors.hpp"
#include "weights/weight_set.hpp"

// The VAE of the demo model on one clip of 17 frames of 64 x 64, and its most frequent layers alone. Threads
// are those of OMP_NUM_THREADS.
namespace wan {
namespace {

const std::string folder = WAN_SOURCE_DIR "/inputs/demo/model/vae";

const Vae& demo_vae(DType storage) {
  const auto load = [](DType dtype) {
    const WeightSet weights = WeightSet::open_component(folder);
    return Vae(
        test::test_device(), VaeConfig::from_json(Json::parse_file(folder + "/config.json"), folder),
        [&](const ParameterSpec& spec, float* out) { weights.read(spec.name, spec.shape, out); }, dtype);
  };
  static const Vae fp32 = load(DType::f32);
  static const Vae bf16 = load(DType::bf16);
  return storage == DType::f32 ? fp32 : bf16;
}

DType storage_of(std::int64_t argument) {
  return argument == 32 ? DType::f32 : DType::bf16;
}

/// Arguments: bits of the storage type, latent frames a chunk.
void encode(benchmark::State& state) {
  VaeEncoder encoder(demo_vae(storage_of(state.range(0))), {64, 64, state.range(1)});
  std::vector<float> clip = test::normals(1, 17 * 64 * 64 * 3, 0.5F);
  const Tensor video(clip.data(), DType::f32, {17, 64, 64, 3});
  for ([[maybe_unused]] auto iteration : state) {
    encoder.begin_clip();
    for (std::int64_t first = 0; first < 17;) {
      const std::int64_t end = std::min<std::int64_t>(17, first + encoder.frames_wanted());
      benchmark::DoNotOptimize(encoder.push(frame_range(video, first, end)));
      first = end;
    }
  }
}
BENCHMARK(encode)->ArgsProduct({{32, 16}, {1, 2, 4, 5}})->Unit(benchmark::kMillisecond);

void decode(benchmark::State& state) {
  VaeDecoder decoder(demo_vae(storage_of(state.range(0))), {64, 64, state.range(1)});
  std::vector<float> latents = test::normals(2, 16 * 5 * 64);
  const Tensor clip(latents.data(), DType::f32, {16, 5 * 64});
  for ([[maybe_unused]] auto iteration : state) {
    decoder.begin_clip();
    for (std::int64_t first = 0; first < 5; first += state.range(1)) {
      const std::int64_t end = std::min<std::int64_t>(5, first + state.range(1));
      benchmark::DoNotOptimize(decoder.push(clip.col_range(first * 64, end * 64)));
    }
  }
}
BENCHMARK(decode)->ArgsProduct({{32, 16}, {1, 2, 4, 5}})->Unit(benchmark::kMillisecond);

/// Arguments: bits, frames, height and width, channels.
void causal_conv(benchmark::State& state) {
  Device& device = test::test_device();
  const DType storage = storage_of(state.range(0));
  const std::int64_t frames = state.range(1), size = state.range(2), channels = state.range(3);
  FrameConvGeometry geometry;
  geometry.inputs = geometry.outputs = channels;
  geometry.frames = geometry.size = 3;
  const std::vector<float> weight = test::normals(3, channels * channels * 27, 0.1F);
  const std::unique_ptr<FrameConvWeight> prepared =
      device.frame_ops().prepare(geometry, storage, weight.data(), weight.data());
  const test::Owned x = test::random(device, storage, {frames + 2, size, size, channels}, 4);
  const test::Owned y = test::zeros(device, storage, {frames, size, size, channels});
  for ([[maybe_unused]] auto iteration : state) device.frame_ops().conv({x, prepared.get(), 0, false, y});
  const double flops = 2.0 * 27 * static_cast<double>(frames * size * size * channels * channels);
  state.counters["FLOP/s"] = benchmark::Counter(flops, benchmark::Counter::kIsIterationInvariantRate);
}
BENCHMARK(causal_conv)
    ->Args({32, 4, 64, 16})
    ->Args({32, 16, 64, 16})
    ->Args({32, 16, 32, 32})
    ->Args({32, 4, 8, 64})
    ->Args({32, 4, 120, 96})
    ->Args({16, 4, 64, 16})
    ->Args({16, 4, 120, 96})
    ->Unit(benchmark::kMicrosecond);

void enlarging_conv(benchmark::State& state) {
  Device& device = test::test_device();
  FrameConvGeometry geometry;
  geometry.inputs = state.range(1);
  geometry.outputs = state.range(1) / 2;
  geometry.size = 3;
  geometry.scale = FrameScale::twice;
  const std::vector<float> weight = test::normals(3, geometry.inputs * geometry.outputs * 9, 0.1F);
  const std::unique_ptr<FrameConvWeight> prepared =
      device.frame_ops().prepare(geometry, DType::f32, weight.data(), weight.data());
  const std::int64_t size = state.range(0);
  const test::Owned x = test::random(device, DType::f32, {16, size, size, geometry.inputs}, 4);
  const test::Owned y = test::zeros(device, DType::f32, {16, 2 * size, 2 * size, geometry.outputs});
  for ([[maybe_unused]] auto iteration : state) device.frame_ops().conv({x, prepared.get(), 0, false, y});
}
BENCHMARK(enlarging_conv)->Args({32, 32})->Args({8, 64})->Args({60, 192})->Unit(benchmark::kMicrosecond);

/// Arguments: bits, channels; 16 frames of 64 x 64.
void norm_silu(benchmark::State& state) {
  Device& device = test::test_device();
  const DType storage = storage_of(state.range(0));
  const Shape shape{16, 64, 64, state.range(1)};
  const test::Owned x = test::random(device, storage, shape, 5);
  const test::Owned gamma = test::random(device, DType::f32, {shape[3]}, 6);
  const test::Owned y = test::zeros(device, storage, shape);
  for ([[maybe_unused]] auto iteration : state) device.frame_ops().norm({x, gamma, true, y});
  state.SetBytesProcessed(state.iterations() * 2 * x.view().bytes());
}
BENCHMARK(norm_silu)->ArgsProduct({{32, 16}, {16, 32, 96}})->Unit(benchmark::kMicrosecond);

}  // namespace
}  // namespace wan
