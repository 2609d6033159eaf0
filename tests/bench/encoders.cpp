// encoders [--steps encode,decode,umt5-1,umt5-8] [--fp32] [--size HEIGHT,WIDTH] [--frames N] [--chunk N]
//          [--text TOKENS] [--small] [--ops] [--runs N] [--warm-up N] [--serve]
//
// Times the VAE (encode and decode of a clip, 81 frames of 480 x 832) and the UMT5-XXL text encoder (1 and 8
// prompts of 512 tokens) at Wan's real size (--small: at a toy's), with random weights, on the device of this
// build (WAN_DEVICE). Times are of whole calls, from an idle device to an idle device. Prints one JSON line
// for each step. --ops lists every op and adds up those that are one library kernel each (library_ms). With
// --serve every line of standard input, flags that win over the command line's, is measured and answered by
// its own JSON line; the models of the command line's steps stay where they are.
#include <algorithm>
#include <cstdio>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/error.hpp"
#include "base/text.hpp"
#include "bench/timing.hpp"
#include "device/open_device.hpp"
#include "model/text/umt5_encoder.hpp"
#include "model/vae/vae_clips.hpp"
#include "support/tensors.hpp"
#include "support/timed_device.hpp"
#include "weights/random_weights.hpp"

namespace {

using namespace wan;
using test::Owned;

struct Options {
  std::vector<std::string> steps = {"encode", "decode", "umt5-1", "umt5-8"};
  DType storage = DType::bf16;
  VaeGeometry geometry{480, 832, 0};
  std::int64_t frames = 81;
  std::int64_t text = 512;
  bool small = false;
  bool list_ops = false;
  int runs = 5;
  int warm_up = 2;
  bool serve = false;

  [[nodiscard]] bool wants(const std::string& step) const {
    return std::find(steps.begin(), steps.end(), step) != steps.end();
  }
};

VaeConfig vae_config(bool small) {
  VaeConfig config;
  if (small) config.base_dim = 16;
  config.latents_mean.assign(static_cast<std::size_t>(config.z_dim), 0.0F);
  config.latents_std.assign(static_cast<std::size_t>(config.z_dim), 1.0F);
  return config;
}

Umt5Config umt5_config(bool small) {
  Umt5Config config;
  if (small) {
    config.d_model = 64;
    config.d_kv = 16;
    config.d_ff = 128;
    config.num_layers = 2;
    config.num_heads = 4;
  }
  return config;
}

/// A clip of noise, dense [T, H, W, 3].
DeviceTensor noise_clip(Device& device, const Shape& shape) {
  DeviceTensor video(device, DType::u8, shape);
  std::vector<std::uint8_t> colours(static_cast<std::size_t>(shape.elements()));
  std::uint32_t state = 1;
  for (std::uint8_t& colour : colours) {
    state = state * 1664525U + 1013904223U;
    colour = static_cast<std::uint8_t>(state >> 24);
  }
  device.copy(video.view.data, colours.data(), video.view.bytes());
  device.synchronize();
  return video;
}

class Bench {
 public:
  Bench(test::TimedDevice& device, const Options& options) : device_(device) {
    if (options.wants("encode") || options.wants("decode"))
      vae_.emplace(device, vae_config(options.small), random_weights(1), options.storage);
    if (options.wants("umt5-1") || options.wants("umt5-8"))
      umt5_.emplace(device, umt5_config(options.small), random_weights(2), options.storage);
  }

  /// One of `options.steps`.
  Json measure(const std::string& step, const Options& options) {
    if (step == "encode" && vae_) return encode(options);
    if (step == "decode" && vae_) return decode(options);
    if (step == "umt5-1" && umt5_) return umt5(1, options);
    if (step == "umt5-8" && umt5_) return umt5(8, options);
    throw UsageError(cat("--steps: found ", step,
                         ", allowed: encode, decode, umt5-1, umt5-8, with --serve only those it began with"));
  }

 private:
  Json encode(const Options& options) {
    const DeviceTensor video =
        noise_clip(device_, {options.frames, options.geometry.height, options.geometry.width, 3});
    VaeEncoder encoder(*vae_, options.geometry);
    const VaePlan plan = plan_encode(vae_->encoder(), vae_->config(), encoder.geometry());
    return time("encode", options, &plan,
                [&] { encode_clip(encoder, video.view, [](const Tensor&, std::int64_t) {}); });
  }

  Json decode(const Options& options) {
    const VaeConfig& config = vae_->config();
    VaeDecoder decoder(*vae_, options.geometry);
    const std::int64_t factor = config.spatial_factor();
    const std::int64_t pixels = (options.geometry.height / factor) * (options.geometry.width / factor);
    const Owned latents =
        test::random(device_, DType::f32, {config.z_dim, config.latent_frames(options.frames) * pixels}, 2);
    const VaePlan plan = plan_decode(vae_->decoder(), config, decoder.geometry());
    return time("decode", options, &plan,
                [&] { decode_clip(decoder, latents, [](const Tensor&, std::int64_t) {}); });
  }

  Json umt5(std::size_t prompts, const Options& options) {
    std::vector<std::int32_t> prompt(static_cast<std::size_t>(options.text));
    for (std::size_t i = 0; i < prompt.size(); ++i) prompt[i] = static_cast<std::int32_t>(100 + 37 * i);
    const std::vector<std::vector<std::int32_t>> batch(prompts, prompt);
    return time(cat("umt5-", prompts), options, nullptr, [&] { (void)umt5_->encode(batch); });
  }

  template <class Body>
  Json time(const std::string& step, const Options& options, const VaePlan* plan, const Body& body) {
    device_.measure(options.list_ops);
    device_.clear();
    const std::vector<double> times = bench::times_ms(device_, options.warm_up, options.runs, body);
    Json out;
    out.set("step", step);
    out.set("device", device_.description());
    out.set("storage", name_of(options.storage));
    out.set("ms", bench::median(times));
    out.set("times_ms", bench::to_json(times));
    out.set("device_gib", bench::device_gib(device_));
    if (plan != nullptr) {
      out.set("activation_bytes", plan->memory.total());
      out.set("tflop_a_chunk", static_cast<double>(plan->flops_next_chunk) * 1e-12);
    }
    if (options.list_ops) {
      device_.print(options.warm_up + options.runs);
      out.set("library_ms", device_.library_ms(options.warm_up + options.runs));
    }
    device_.measure(false);
    return out;
  }

  test::TimedDevice& device_;
  std::optional<Vae> vae_;
  std::optional<Umt5Encoder> umt5_;
};

/// `base` with what `words` change.
Options parse(const std::vector<std::string>& words, const Options& base = {}) {
  Options out = base;
  for (std::size_t i = 0; i < words.size(); ++i) {
    const std::string& word = words[i];
    const auto value = [&] {
      if (i + 1 >= words.size()) throw UsageError(word + " needs a value");
      return words[++i];
    };
    if (word == "--steps") {
      out.steps = split(value(), ',');
    } else if (word == "--fp32") {
      out.storage = DType::f32;
    } else if (word == "--size") {
      const std::vector<std::string> size = split(value(), ',');
      out.geometry.height = std::stoll(size.front());
      out.geometry.width = std::stoll(size.back());
    } else if (word == "--frames") {
      out.frames = std::stoll(value());
    } else if (word == "--chunk") {
      out.geometry.chunk = std::stoll(value());
    } else if (word == "--text") {
      out.text = std::stoll(value());
    } else if (word == "--small") {
      out.small = true;
    } else if (word == "--ops") {
      out.list_ops = true;
    } else if (word == "--runs") {
      out.runs = std::stoi(value());
    } else if (word == "--warm-up") {
      out.warm_up = std::stoi(value());
    } else if (word == "--serve") {
      out.serve = true;
    } else {
      throw UsageError(
          "usage: encoders [--steps encode,decode,umt5-1,umt5-8] [--fp32] [--size HEIGHT,WIDTH] [--frames N] "
          "[--chunk N] [--text TOKENS] [--small] [--ops] [--runs N] [--warm-up N] [--serve]");
    }
  }
  return out;
}

void run(const Options& options) {
  DeviceOptions device_options;
  device_options.threads = 1;
  const std::unique_ptr<Device> opened = open_device(device_options);
  test::TimedDevice device(*opened);
  device.measure(false);
  Bench bench(device, options);
  if (options.serve) {
    bench::serve([&](const std::vector<std::string>& words) {
      const Options asked = parse(words, options);
      return bench.measure(asked.steps.front(), asked);
    });
    return;
  }
  for (const std::string& step : options.steps)
    std::printf("%s\n", bench.measure(step, options).dump().c_str());
}

}  // namespace

int main(int count, char** words) {
  try {
    run(parse({words + 1, words + count}));
    return 0;
  } catch (const Error& error) {
    std::fprintf(stderr, "encoders: %s\n", error.what());
    return static_cast<int>(error.code());
  }
}
