#pragma once
#include <string>
#include <vector>

#include "unit/vae/vae_models.hpp"

namespace wan::test {

/// A clip as planes [C, T, H, W] in double.
struct Clip {
  std::int64_t channels = 0, frames = 0, rows = 0, columns = 0;
  std::vector<double> value;

  Clip() = default;
  Clip(std::int64_t c, std::int64_t t, std::int64_t h, std::int64_t w)
      : channels(c), frames(t), rows(h), columns(w), value(static_cast<std::size_t>(c * t * h * w)) {}

  double& at(std::int64_t c, std::int64_t t, std::int64_t h, std::int64_t w) {
    return value[static_cast<std::size_t>(((c * frames + t) * rows + h) * columns + w)];
  }
  [[nodiscard]] double at(std::int64_t c, std::int64_t t, std::int64_t h, std::int64_t w) const {
    return value[static_cast<std::size_t>(((c * frames + t) * rows + h) * columns + w)];
  }
};

/// The video autoencoder without chunks and caches: the function of a whole clip that chunks must compute.
/// Every causal convolution sees the whole sequence behind two frames of zeros; where time is resampled, the
/// first frame passes by. It shares no code with the model.
class SlowVae {
 public:
  SlowVae(const VaeConfig& config, const VaeWeights& weights) : config_(config), weights_(weights) {}

  /// Mean and log variance.
  [[nodiscard]] Clip encode(const Clip& video) const;
  /// From normalised latents; not clamped.
  [[nodiscard]] Clip decode(const Clip& latents) const;

 private:
  struct Conv {
    std::int64_t kernel_frames = 1, size = 1;
    std::int64_t front = 0, before = 0, after = 0;
    std::int64_t frame_stride = 1, stride = 1;
  };

  [[nodiscard]] Clip conv(const Clip& x, const std::string& name, const Conv& shape) const;
  [[nodiscard]] Clip causal(const Clip& x, const std::string& name) const;
  [[nodiscard]] Clip norm(const Clip& x, const std::string& name, bool silu) const;
  [[nodiscard]] Clip residual(const Clip& x, const std::string& name) const;
  [[nodiscard]] Clip attention(const Clip& x, const std::string& name) const;
  [[nodiscard]] Clip middle(const Clip& x, const std::string& name) const;
  [[nodiscard]] Clip downsample(const Clip& x, const std::string& name) const;
  [[nodiscard]] Clip upsample(const Clip& x, const std::string& name) const;
  [[nodiscard]] bool has(const std::string& name) const { return weights_.count(name) != 0; }

  const VaeConfig& config_;
  const VaeWeights& weights_;
};

}  // namespace wan::test
