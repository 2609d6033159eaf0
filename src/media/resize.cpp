#include "media/resize.hpp"

#include <algorithm>
#include <cmath>
#include <cstring>

#include "media/resize_taps.hpp"

namespace wan {
namespace {

constexpr int weight_bits = 11;
constexpr std::int64_t channels = 3;

std::vector<std::int32_t> fixed_point(const std::vector<float>& weights) {
  std::vector<std::int32_t> fixed;
  for (const float w : weights)
    fixed.push_back(static_cast<std::int32_t>(std::lrint(w * float{1 << weight_bits})));
  return fixed;
}

std::uint8_t saturated(std::int64_t value) {
  return static_cast<std::uint8_t>(std::clamp<std::int64_t>(value, 0, 255));
}

/// Rows of the source resized along x, kept for as long as output rows need them: at most `taps` at a time.
template <class Number>
class RowCache {
 public:
  RowCache(const Image& image, const Taps& x, const std::vector<Number>& weights, std::int64_t taps)
      : image_(image), x_(x), weights_(weights), slots_(static_cast<std::size_t>(taps + 1)) {}

  const Number* row(std::int64_t y) {
    Slot& slot = slots_[static_cast<std::size_t>(y) % slots_.size()];
    if (slot.y != y) {
      slot.y = y;
      fill(slot.values, image_.row(y));
    }
    return slot.values.data();
  }

 private:
  struct Slot {
    std::int64_t y = -1;
    std::vector<Number> values;
  };

  void fill(std::vector<Number>& out, const std::uint8_t* source) {
    const std::size_t count = static_cast<std::size_t>(x_.count);
    const std::size_t width = x_.index.size() / count;
    out.resize(width * channels);
    for (std::size_t i = 0; i < width; ++i) {
      Number sum[channels] = {};
      for (std::size_t k = i * count; k < (i + 1) * count; ++k) {
        const std::uint8_t* const pixel = source + x_.index[k] * channels;
        for (std::int64_t c = 0; c < channels; ++c) sum[c] += weights_[k] * static_cast<Number>(pixel[c]);
      }
      std::copy(sum, sum + channels, out.begin() + static_cast<std::ptrdiff_t>(i * channels));
    }
  }

  const Image& image_;
  const Taps& x_;
  const std::vector<Number>& weights_;
  std::vector<Slot> slots_;
};

/// Both axes with 11-bit weights. Two taps are summed as OpenCV's linear rows are, with 4 and 16 bits dropped
/// on the way.
Image resize_fixed(const Image& image, const Taps& x, const Taps& y, Image out) {
  const std::vector<std::int32_t> x_weights = fixed_point(x.weight);
  const std::vector<std::int32_t> y_weights = fixed_point(y.weight);
  RowCache<std::int32_t> cache(image, x, x_weights, y.count);
  const std::int64_t n = out.width * channels;
  std::vector<std::int64_t> sums(static_cast<std::size_t>(n));
  for (std::int64_t i = 0; i < out.height; ++i) {
    std::uint8_t* const to = out.row(i);
    const auto* const index = y.index.data() + i * y.count;
    const auto* const weight = y_weights.data() + i * y.count;
    if (y.count == 2) {
      const std::int32_t* const above = cache.row(index[0]);
      const std::int32_t* const below = cache.row(index[1]);
      for (std::int64_t v = 0; v < n; ++v) {
        to[v] = static_cast<std::uint8_t>(
            (((weight[0] * (above[v] >> 4)) >> 16) + ((weight[1] * (below[v] >> 4)) >> 16) + 2) >> 2);
      }
      continue;
    }
    std::fill(sums.begin(), sums.end(), std::int64_t{1} << (2 * weight_bits - 1));
    for (std::int64_t k = 0; k < y.count; ++k) {
      const std::int32_t* const from = cache.row(index[k]);
      const std::int64_t w = weight[k];
      for (std::int64_t v = 0; v < n; ++v) sums[static_cast<std::size_t>(v)] += w * from[v];
    }
    for (std::int64_t v = 0; v < n; ++v)
      to[v] = saturated(sums[static_cast<std::size_t>(v)] >> (2 * weight_bits));
  }
  return out;
}

Image resize_float(const Image& image, const Taps& x, const Taps& y, Image out) {
  RowCache<float> cache(image, x, x.weight, y.count);
  const std::int64_t n = out.width * channels;
  std::vector<float> sums(static_cast<std::size_t>(n));
  for (std::int64_t i = 0; i < out.height; ++i) {
    std::fill(sums.begin(), sums.end(), 0.0F);
    for (std::int64_t k = i * y.count; k < (i + 1) * y.count; ++k) {
      const float w = y.weight[static_cast<std::size_t>(k)];
      if (w == 0.0F) continue;
      const float* const from = cache.row(y.index[static_cast<std::size_t>(k)]);
      for (std::int64_t v = 0; v < n; ++v) sums[static_cast<std::size_t>(v)] += w * from[v];
    }
    std::uint8_t* const to = out.row(i);
    for (std::int64_t v = 0; v < n; ++v) to[v] = saturated(std::lrint(sums[static_cast<std::size_t>(v)]));
  }
  return out;
}

Image resize_nearest(const Image& image, Image out) {
  const std::vector<std::int32_t> xs = nearest_indices(image.width, out.width);
  const std::vector<std::int32_t> ys = nearest_indices(image.height, out.height);
  for (std::int64_t y = 0; y < out.height; ++y) {
    const std::uint8_t* const from = image.row(ys[static_cast<std::size_t>(y)]);
    std::uint8_t* const to = out.row(y);
    for (std::int64_t x = 0; x < out.width; ++x) {
      std::memcpy(to + x * channels, from + xs[static_cast<std::size_t>(x)] * channels, channels);
    }
  }
  return out;
}

/// Means of 2x2 pixels, halves rounded up: what OpenCV does for exactly half the size, linear and area alike.
Image halved(const Image& image, Image out) {
  for (std::int64_t y = 0; y < out.height; ++y) {
    const std::uint8_t* const a = image.row(2 * y);
    const std::uint8_t* const b = image.row(2 * y + 1);
    std::uint8_t* const to = out.row(y);
    for (std::int64_t x = 0; x < out.width; ++x) {
      for (std::int64_t c = 0; c < channels; ++c) {
        const std::int64_t i = 2 * x * channels + c;
        to[x * channels + c] =
            static_cast<std::uint8_t>((a[i] + a[i + channels] + b[i] + b[i + channels] + 2) >> 2);
      }
    }
  }
  return out;
}

}  // namespace

Image resize(const Image& image, std::int64_t width, std::int64_t height, ResizeKind kind) {
  if (width == image.width && height == image.height) return image;
  Image out(width, height);
  const bool half = image.width == 2 * width && image.height == 2 * height;
  const bool shrinks = image.width >= width && image.height >= height;
  const auto both = [&](Taps (*taps)(std::int64_t, std::int64_t), auto apply) {
    return apply(image, taps(image.width, width), taps(image.height, height), std::move(out));
  };
  switch (kind) {
    case ResizeKind::nearest:
      return resize_nearest(image, std::move(out));
    case ResizeKind::bilinear:
      return half ? halved(image, std::move(out)) : both(linear_taps, resize_fixed);
    case ResizeKind::bicubic:
      return both(cubic_taps, resize_fixed);
    case ResizeKind::lanczos:
      return both(lanczos_taps, resize_fixed);
    case ResizeKind::area:
      if (half) return halved(image, std::move(out));
      return shrinks ? both(area_taps, resize_float) : both(enlarged_area_taps, resize_fixed);
  }
  return out;
}

}  // namespace wan
