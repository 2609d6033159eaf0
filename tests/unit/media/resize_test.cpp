#include "media/resize.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <fstream>
#include <functional>
#include <map>
#include <random>

namespace wan {
namespace {

const std::map<std::string, ResizeKind> kinds = {{"bilinear", ResizeKind::bilinear},
                                                 {"bicubic", ResizeKind::bicubic},
                                                 {"nearest", ResizeKind::nearest},
                                                 {"area", ResizeKind::area},
                                                 {"lanczos", ResizeKind::lanczos}};

int largest_difference(const std::vector<std::uint8_t>& a, const std::vector<std::uint8_t>& b) {
  int largest = a.size() == b.size() ? 0 : 256;
  for (std::size_t i = 0; largest < 256 && i < a.size(); ++i)
    largest = std::max(largest, std::abs(a[i] - b[i]));
  return largest;
}

/// OpenCV's vector code sums bicubic rows in float, so that one may differ by 1; the others come out equal.
TEST(Resize, equals_opencv) {
  std::ifstream lines(WAN_SOURCE_DIR "/tests/unit/media/data/resize_cv2.txt");
  std::string name;
  std::string hex;
  std::int64_t width = 0, height = 0, target_width = 0, target_height = 0;
  int cases = 0;
  while (lines >> name >> width >> height >> target_width >> target_height >> hex) {
    Image source(width, height);
    for (std::size_t i = 0; i < source.rgb.size(); ++i) {
      const auto n = static_cast<std::uint32_t>(i);
      source.rgb[i] = static_cast<std::uint8_t>((n * n * 2654435761U + n * 40503U) >> 24);
    }
    std::vector<std::uint8_t> expected;
    for (std::size_t i = 0; i + 1 < hex.size(); i += 2) {
      expected.push_back(static_cast<std::uint8_t>(std::stoi(hex.substr(i, 2), nullptr, 16)));
    }
    const Image out = resize(source, target_width, target_height, kinds.at(name));
    EXPECT_LE(largest_difference(out.rgb, expected), name == "bicubic" ? 1 : 0)
        << name << " " << width << "x" << height << " to " << target_width << "x" << target_height;
    ++cases;
  }
  EXPECT_EQ(cases, 40);
}

/// The sum of a kernel over all source pixels, one output pixel at a time, in doubles.
double slow(const Image& source, std::int64_t x, std::int64_t y, std::int64_t c, const Image& out,
            const std::function<double(double)>& kernel, std::int64_t reach) {
  const auto centre = [](std::int64_t i, std::int64_t from, std::int64_t to) {
    return (static_cast<double>(i) + 0.5) * static_cast<double>(from) / static_cast<double>(to) - 0.5;
  };
  const double cx = centre(x, source.width, out.width);
  const double cy = centre(y, source.height, out.height);
  double sum = 0;
  double weights = 0;
  for (auto v = static_cast<std::int64_t>(std::floor(cy)) - reach;
       v <= static_cast<std::int64_t>(std::floor(cy)) + reach + 1; ++v) {
    for (auto u = static_cast<std::int64_t>(std::floor(cx)) - reach;
         u <= static_cast<std::int64_t>(std::floor(cx)) + reach + 1; ++u) {
      const double w = kernel(static_cast<double>(u) - cx) * kernel(static_cast<double>(v) - cy);
      const std::int64_t row = std::clamp<std::int64_t>(v, 0, source.height - 1);
      const std::int64_t column = std::clamp<std::int64_t>(u, 0, source.width - 1);
      sum += w * source.row(row)[column * 3 + c];
      weights += w;
    }
  }
  return std::clamp(sum / weights, 0.0, 255.0);
}

/// Mean over the part of the source that the output pixel covers.
double covered_mean(const Image& source, std::int64_t x, std::int64_t y, std::int64_t c, const Image& out) {
  const double step_x = static_cast<double>(source.width) / static_cast<double>(out.width);
  const double step_y = static_cast<double>(source.height) / static_cast<double>(out.height);
  const auto share = [](std::int64_t cell, double begin, double end) {
    return std::max(
        0.0, std::min(end, static_cast<double>(cell + 1)) - std::max(begin, static_cast<double>(cell)));
  };
  double sum = 0;
  for (std::int64_t v = 0; v < source.height; ++v) {
    for (std::int64_t u = 0; u < source.width; ++u) {
      sum += share(v, static_cast<double>(y) * step_y, static_cast<double>(y + 1) * step_y) *
             share(u, static_cast<double>(x) * step_x, static_cast<double>(x + 1) * step_x) *
             source.row(v)[u * 3 + c];
    }
  }
  return sum / (step_x * step_y);
}

double linear(double x) {
  return std::max(0.0, 1.0 - std::abs(x));
}

double cubic(double x) {
  constexpr double a = -0.75;
  const double t = std::abs(x);
  if (t < 1) return ((a + 2) * t - (a + 3)) * t * t + 1;
  return t < 2 ? ((a * t - 5 * a) * t + 8 * a) * t - 4 * a : 0.0;
}

double lanczos4(double x) {
  constexpr double pi = 3.14159265358979323846;
  if (std::abs(x) < 1e-9) return 1.0;
  return std::abs(x) < 4 ? 4 * std::sin(pi * x) * std::sin(pi * x / 4) / (pi * pi * x * x) : 0.0;
}

/// Allowed distance from the exact value, before rounding to bytes.
struct Tolerance {
  ResizeKind kind;
  double most;
};
const Tolerance tolerances[] = {
    {ResizeKind::bilinear, 1.3},  // rounding 0.5, weights of 11 bits 4 * 255 / 4096, 4 bits dropped per row
    {ResizeKind::bicubic, 1.6},   // rounding 0.5, 16 weights up to 1 with error 1 / 4096 each way
    {ResizeKind::lanczos, 2.1},   // rounding 0.5, 64 weights
    {ResizeKind::area, 1.0},      // rounding 0.5, shares below 1/1000 left out
};

TEST(Resize, follows_its_formula) {
  std::mt19937 random(11);
  for (int trial = 0; trial < 60; ++trial) {
    Image source(1 + static_cast<std::int64_t>(random() % 40), 1 + static_cast<std::int64_t>(random() % 40));
    for (std::uint8_t& byte : source.rgb)
      byte = trial % 2 == 0 ? static_cast<std::uint8_t>(random()) : (random() % 2 == 0 ? 0 : 255);
    for (const Tolerance& tolerance : tolerances) {
      const bool area = tolerance.kind == ResizeKind::area;
      const std::int64_t width = 1 + static_cast<std::int64_t>(random()) % (area ? source.width : 50);
      const std::int64_t height = 1 + static_cast<std::int64_t>(random()) % (area ? source.height : 50);
      // Exactly half the size is defined as the mean of 2x2, whatever the kernel (the OpenCV vectors hold
      // it).
      if (source.width == 2 * width && source.height == 2 * height) continue;
      const Image out = resize(source, width, height, tolerance.kind);
      for (std::int64_t y = 0; y < height; ++y) {
        for (std::int64_t x = 0; x < width; ++x) {
          const double exact = tolerance.kind == ResizeKind::bilinear  ? slow(source, x, y, 1, out, linear, 1)
                               : tolerance.kind == ResizeKind::bicubic ? slow(source, x, y, 1, out, cubic, 2)
                               : tolerance.kind == ResizeKind::lanczos
                                   ? slow(source, x, y, 1, out, lanczos4, 4)
                                   : covered_mean(source, x, y, 1, out);
          ASSERT_NEAR(out.row(y)[x * 3 + 1], exact, tolerance.most)
              << source.width << "x" << source.height << " to " << width << "x" << height << " kind "
              << static_cast<int>(tolerance.kind);
        }
      }
    }
  }
}

TEST(Resize, flat_pictures_stay_flat) {
  for (const auto& [name, kind] : kinds) {
    Image flat(37, 23);
    std::fill(flat.rgb.begin(), flat.rgb.end(), std::uint8_t{173});
    for (const std::uint8_t byte : resize(flat, 64, 11, kind).rgb) ASSERT_NEAR(byte, 173, 1) << name;
  }
}

TEST(Resize, same_size_is_a_copy) {
  Image image(5, 4);
  for (std::size_t i = 0; i < image.rgb.size(); ++i) image.rgb[i] = static_cast<std::uint8_t>(i * 7);
  for (const auto& [name, kind] : kinds) EXPECT_EQ(resize(image, 5, 4, kind).rgb, image.rgb) << name;
}

}  // namespace
}  // namespace wan
