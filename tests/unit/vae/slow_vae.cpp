#include "unit/vae/slow_vae.hpp"

#include <algorithm>
#include <cmath>

#include "base/text.hpp"

namespace wan::test {
namespace {

/// Frames [begin, end).
Clip cut(const Clip& x, std::int64_t begin, std::int64_t end) {
  Clip out(x.channels, end - begin, x.rows, x.columns);
  for (std::int64_t c = 0; c < x.channels; ++c) {
    for (std::int64_t i = 0; i < out.frames * x.rows * x.columns; ++i) {
      const std::int64_t plane = x.rows * x.columns;
      out.value[static_cast<std::size_t>(c * out.frames * plane + i)] =
          x.value[static_cast<std::size_t>((c * x.frames + begin) * plane + i)];
    }
  }
  return out;
}

Clip joined(const Clip& a, const Clip& b) {
  Clip out(a.channels, a.frames + b.frames, a.rows, a.columns);
  for (std::int64_t c = 0; c < out.channels; ++c) {
    for (std::int64_t t = 0; t < out.frames; ++t) {
      for (std::int64_t h = 0; h < out.rows; ++h) {
        for (std::int64_t w = 0; w < out.columns; ++w) {
          out.at(c, t, h, w) = t < a.frames ? a.at(c, t, h, w) : b.at(c, t - a.frames, h, w);
        }
      }
    }
  }
  return out;
}

Clip sum(Clip a, const Clip& b) {
  for (std::size_t i = 0; i < a.value.size(); ++i) a.value[i] += b.value[i];
  return a;
}

}  // namespace

Clip SlowVae::conv(const Clip& x, const std::string& name, const Conv& s) const {
  const std::vector<float>& weight = weights_.at(name + ".weight");
  const std::vector<float>& bias = weights_.at(name + ".bias");
  const auto extent = [](std::int64_t size, std::int64_t padding, std::int64_t kernel, std::int64_t stride) {
    return (size + padding - kernel) / stride + 1;
  };
  Clip y(static_cast<std::int64_t>(bias.size()), extent(x.frames, s.front, s.kernel_frames, s.frame_stride),
         extent(x.rows, s.before + s.after, s.size, s.stride),
         extent(x.columns, s.before + s.after, s.size, s.stride));
  const auto inside = [](std::int64_t place, std::int64_t size) { return place >= 0 && place < size; };
  for (std::int64_t o = 0; o < y.channels; ++o) {
    for (std::int64_t t = 0; t < y.frames; ++t) {
      for (std::int64_t h = 0; h < y.rows; ++h) {
        for (std::int64_t w = 0; w < y.columns; ++w) {
          double total = static_cast<double>(bias[static_cast<std::size_t>(o)]);
          std::size_t at = static_cast<std::size_t>(o * x.channels * s.kernel_frames * s.size * s.size);
          for (std::int64_t i = 0; i < x.channels; ++i) {
            for (std::int64_t a = 0; a < s.kernel_frames; ++a) {
              for (std::int64_t b = 0; b < s.size; ++b) {
                for (std::int64_t c = 0; c < s.size; ++c, ++at) {
                  const std::int64_t frame = t * s.frame_stride + a - s.front;
                  const std::int64_t row = h * s.stride + b - s.before;
                  const std::int64_t column = w * s.stride + c - s.before;
                  if (inside(frame, x.frames) && inside(row, x.rows) && inside(column, x.columns)) {
                    total += static_cast<double>(weight[at]) * x.at(i, frame, row, column);
                  }
                }
              }
            }
          }
          y.at(o, t, h, w) = total;
        }
      }
    }
  }
  return y;
}

Clip SlowVae::causal(const Clip& x, const std::string& name) const {
  return conv(x, name, {3, 3, 2, 1, 1, 1, 1});
}

Clip SlowVae::norm(const Clip& x, const std::string& name, bool silu) const {
  const std::vector<float>& gamma = weights_.at(name + ".gamma");
  Clip y = x;
  const std::int64_t places = x.frames * x.rows * x.columns;
  for (std::int64_t place = 0; place < places; ++place) {
    double squares = 0;
    for (std::int64_t c = 0; c < x.channels; ++c) {
      squares += std::pow(x.value[static_cast<std::size_t>(c * places + place)], 2);
    }
    const double factor = std::sqrt(static_cast<double>(x.channels)) / std::max(std::sqrt(squares), 1e-12);
    for (std::int64_t c = 0; c < x.channels; ++c) {
      double& value = y.value[static_cast<std::size_t>(c * places + place)];
      value *= factor * static_cast<double>(gamma[static_cast<std::size_t>(c)]);
      if (silu) value /= 1 + std::exp(-value);
    }
  }
  return y;
}

Clip SlowVae::residual(const Clip& x, const std::string& name) const {
  const Clip hidden = causal(norm(x, name + ".norm1", true), name + ".conv1");
  const Clip y = causal(norm(hidden, name + ".norm2", true), name + ".conv2");
  return sum(y, has(name + ".conv_shortcut.weight") ? conv(x, name + ".conv_shortcut", {}) : x);
}

Clip SlowVae::attention(const Clip& x, const std::string& name) const {
  const Clip qkv = conv(norm(x, name + ".norm", false), name + ".to_qkv", {});
  const std::int64_t places = x.rows * x.columns;
  Clip mixed(x.channels, x.frames, x.rows, x.columns);
  const auto part = [&](std::int64_t which, std::int64_t c, std::int64_t t, std::int64_t place) {
    return qkv.at(which * x.channels + c, t, place / x.columns, place % x.columns);
  };
  for (std::int64_t t = 0; t < x.frames; ++t) {
    for (std::int64_t q = 0; q < places; ++q) {
      std::vector<double> share(static_cast<std::size_t>(places));
      double total = 0;
      for (std::int64_t k = 0; k < places; ++k) {
        double logit = 0;
        for (std::int64_t c = 0; c < x.channels; ++c) logit += part(0, c, t, q) * part(1, c, t, k);
        total += share[static_cast<std::size_t>(k)] =
            std::exp(logit / std::sqrt(static_cast<double>(x.channels)));
      }
      for (std::int64_t k = 0; k < places; ++k) {
        for (std::int64_t c = 0; c < x.channels; ++c) {
          mixed.at(c, t, q / x.columns, q % x.columns) +=
              share[static_cast<std::size_t>(k)] / total * part(2, c, t, k);
        }
      }
    }
  }
  return sum(conv(mixed, name + ".proj", {}), x);
}

Clip SlowVae::middle(const Clip& x, const std::string& name) const {
  return residual(attention(residual(x, name + ".resnets.0"), name + ".attentions.0"), name + ".resnets.1");
}

Clip SlowVae::downsample(const Clip& x, const std::string& name) const {
  const Clip y = conv(x, name + ".resample.1", {1, 3, 0, 0, 1, 1, 2});
  if (!has(name + ".time_conv.weight") || y.frames == 1) return y;
  return joined(cut(y, 0, 1), conv(y, name + ".time_conv", {3, 1, 0, 0, 0, 2, 1}));
}

Clip SlowVae::upsample(const Clip& x, const std::string& name) const {
  Clip frames = x;
  if (has(name + ".time_conv.weight") && x.frames > 1) {
    const Clip pairs = conv(cut(x, 1, x.frames), name + ".time_conv", {3, 1, 2, 0, 0, 1, 1});
    Clip doubled(x.channels, 2 * pairs.frames, x.rows, x.columns);
    for (std::int64_t c = 0; c < x.channels; ++c) {
      for (std::int64_t t = 0; t < doubled.frames; ++t) {
        for (std::int64_t h = 0; h < x.rows; ++h) {
          for (std::int64_t w = 0; w < x.columns; ++w) {
            doubled.at(c, t, h, w) = pairs.at(t % 2 * x.channels + c, t / 2, h, w);
          }
        }
      }
    }
    frames = joined(cut(x, 0, 1), doubled);
  }
  Clip large(frames.channels, frames.frames, 2 * x.rows, 2 * x.columns);
  for (std::int64_t c = 0; c < large.channels; ++c) {
    for (std::int64_t t = 0; t < large.frames; ++t) {
      for (std::int64_t h = 0; h < large.rows; ++h) {
        for (std::int64_t w = 0; w < large.columns; ++w) large.at(c, t, h, w) = frames.at(c, t, h / 2, w / 2);
      }
    }
  }
  return conv(large, name + ".resample.1", {1, 3, 0, 1, 1, 1, 1});
}

Clip SlowVae::encode(const Clip& video) const {
  Clip x = causal(video, "encoder.conv_in");
  for (int number = 0;; ++number) {
    const std::string name = cat("encoder.down_blocks.", number);
    if (has(name + ".resample.1.weight")) {
      x = downsample(x, name);
    } else if (has(name + ".conv1.weight")) {
      x = residual(x, name);
    } else {
      break;
    }
  }
  x = norm(middle(x, "encoder.mid_block"), "encoder.norm_out", true);
  return conv(causal(x, "encoder.conv_out"), "quant_conv", {});
}

Clip SlowVae::decode(const Clip& latents) const {
  Clip x = latents;
  const std::size_t places = x.value.size() / static_cast<std::size_t>(x.channels);
  for (std::size_t i = 0; i < x.value.size(); ++i) {
    x.value[i] = x.value[i] * static_cast<double>(config_.latents_std[i / places]) +
                 static_cast<double>(config_.latents_mean[i / places]);
  }
  x = middle(causal(conv(x, "post_quant_conv", {}), "decoder.conv_in"), "decoder.mid_block");
  for (int level = 0; has(cat("decoder.up_blocks.", level, ".resnets.0.conv1.weight")); ++level) {
    const std::string name = cat("decoder.up_blocks.", level);
    for (int block = 0; has(cat(name, ".resnets.", block, ".conv1.weight")); ++block) {
      x = residual(x, cat(name, ".resnets.", block));
    }
    if (has(name + ".upsamplers.0.resample.1.weight")) x = upsample(x, name + ".upsamplers.0");
  }
  return causal(norm(x, "decoder.norm_out", true), "decoder.conv_out");
}

}  // namespace wan::test
