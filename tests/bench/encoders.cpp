// encoders [--vae] [--umt5] [--fp32] [--size HEIGHT,WIDTH] [--frames N] [--chunk N] [--runs N]
// Times the VAE (encode and decode of a clip, 81 frames of 480 x 832) and the UMT5-XXL text encoder (1 and 8
// prompts of 512 tokens) at Wan's real size, with random weights, on the device of this build (WAN_DEVICE).
// Times are of whole calls, from an idle device to an idle device; the median is printed.
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <functional>
#include <string>
#include <vector>

#include "base/error.hpp"
#include "base/text.hpp"
#include "device/open_device.hpp"
#include "model/text/umt5_encoder.hpp"
#include "model/vae/vae_clips.hpp"
#include "support/tensors.hpp"
#include "weights/random_weights.hpp"

namespace {

using namespace wan;
using test::Owned;

constexpr int warm_up = 2;

struct Options {
  bool vae = false;
  bool umt5 = false;
  DType storage = DType::bf16;
  VaeGeometry geometry{480, 832, 0};
  std::int64_t frames = 81;
  int runs = 5;
};

double seconds_of(Device& device, const std::function<void()>& body) {
  device.synchronize();
  const auto start = std::chrono::steady_clock::now();
  body();
  device.synchronize();
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

void time(Device& device, const std::string& name, int runs, const std::function<void()>& body) {
  const double first = seconds_of(device, body);
  for (int run = 1; run < warm_up; ++run) body();
  std::vector<double> times;
  for (int run = 0; run < runs; ++run) times.push_back(seconds_of(device, body));
  std::sort(times.begin(), times.end());
  std::printf("%-44s median %9.2f ms, fastest %9.2f ms, first call %9.2f ms\n", name.c_str(),
              times[times.size() / 2] * 1e3, times.front() * 1e3, first * 1e3);
  std::fflush(stdout);
}

VaeConfig wan_vae() {
  VaeConfig config;
  config.latents_mean.assign(static_cast<std::size_t>(config.z_dim), 0.0F);
  config.latents_std.assign(static_cast<std::size_t>(config.z_dim), 1.0F);
  return config;
}

void say_plan(const char* name, const VaePlan& plan, std::int64_t chunk) {
  const double bytes = static_cast<double>(plan.memory.total());
  std::printf("%s: chunks of %lld latent frames, activations %s, %.1f TFLOP a full chunk\n", name,
              static_cast<long long>(chunk), human_bytes(bytes).c_str(),
              static_cast<double>(plan.flops_next_chunk) * 1e-12);
}

void time_vae(Device& device, const Options& options) {
  const Vae vae(device, wan_vae(), random_weights(1), options.storage);
  const VaeConfig& config = vae.config();
  const std::string size = cat(options.frames, " x ", options.geometry.height, " x ", options.geometry.width);
  {
    const Shape shape{options.frames, options.geometry.height, options.geometry.width, 3};
    const DeviceTensor video(device, DType::u8, shape);
    std::vector<std::uint8_t> colours(static_cast<std::size_t>(shape.elements()));
    std::uint32_t state = 1;
    for (std::uint8_t& colour : colours) {
      state = state * 1664525U + 1013904223U;
      colour = static_cast<std::uint8_t>(state >> 24);
    }
    device.copy(video.view.data, colours.data(), video.view.bytes());
    VaeEncoder encoder(vae, options.geometry);
    say_plan("encode", plan_encode(vae.encoder(), config, encoder.geometry()), encoder.geometry().chunk);
    time(device, "VAE encode " + size, options.runs,
         [&] { encode_clip(encoder, video.view, [](const Tensor&, std::int64_t) {}); });
  }
  VaeDecoder decoder(vae, options.geometry);
  say_plan("decode", plan_decode(vae.decoder(), config, decoder.geometry()), decoder.geometry().chunk);
  const std::int64_t factor = config.spatial_factor();
  const std::int64_t pixels = (options.geometry.height / factor) * (options.geometry.width / factor);
  const Owned latents =
      test::random(device, DType::f32, {config.z_dim, config.latent_frames(options.frames) * pixels}, 2);
  time(device, "VAE decode " + size, options.runs,
       [&] { decode_clip(decoder, latents, [](const Tensor&, std::int64_t) {}); });
}

void time_umt5(Device& device, const Options& options) {
  Umt5Encoder encoder(device, Umt5Config(), random_weights(2), options.storage);
  std::vector<std::int32_t> prompt(512);
  for (std::size_t i = 0; i < prompt.size(); ++i) prompt[i] = static_cast<std::int32_t>(100 + 37 * i);
  for (const std::size_t count : {std::size_t{1}, std::size_t{8}}) {
    const std::vector<std::vector<std::int32_t>> prompts(count, prompt);
    time(device, cat("UMT5-XXL, ", count, " prompts of 512 tokens"), 2 * options.runs,
         [&] { (void)encoder.encode(prompts); });
  }
}

void run(const Options& options) {
  DeviceOptions device_options;
  device_options.threads = 1;
  const std::unique_ptr<Device> device = open_device(device_options);
  std::printf("%s, %s\n", device->description().c_str(), name_of(options.storage).c_str());
  if (options.vae) time_vae(*device, options);
  if (options.umt5) time_umt5(*device, options);
}

Options parse(int count, char** words) {
  Options out;
  for (int i = 1; i < count; ++i) {
    const std::string word = words[i];
    const auto numbers = [&] {
      if (i + 1 >= count) throw UsageError(word + " needs a value");
      std::vector<std::int64_t> values;
      for (const std::string& part : split(words[++i], ',')) values.push_back(std::stoll(part));
      return values;
    };
    if (word == "--vae") {
      out.vae = true;
    } else if (word == "--umt5") {
      out.umt5 = true;
    } else if (word == "--fp32") {
      out.storage = DType::f32;
    } else if (word == "--size") {
      const std::vector<std::int64_t> size = numbers();
      out.geometry.height = size.front();
      out.geometry.width = size.back();
    } else if (word == "--frames") {
      out.frames = numbers().front();
    } else if (word == "--chunk") {
      out.geometry.chunk = numbers().front();
    } else if (word == "--runs") {
      out.runs = static_cast<int>(numbers().front());
    } else {
      throw UsageError(
          "usage: encoders [--vae] [--umt5] [--fp32] [--size HEIGHT,WIDTH] [--frames N] [--chunk N] [--runs "
          "N]");
    }
  }
  if (!out.vae && !out.umt5) out.vae = out.umt5 = true;
  return out;
}

}  // namespace

int main(int count, char** words) {
  try {
    run(parse(count, words));
    return 0;
  } catch (const Error& error) {
    std::fprintf(stderr, "encoders: %s\n", error.what());
    return static_cast<int>(error.code());
  }
}
