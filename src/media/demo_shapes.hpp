#pragma once
#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "media/image.hpp"

/// The demo's world: one shape of one colour that moves in one direction over a dark ground.
namespace wan::demo {

constexpr std::int64_t side = 64;    ///< pixels, both ways
constexpr std::int64_t frames = 17;  ///< per clip
constexpr std::int64_t fps = 16;
constexpr double ground = 0.05;  ///< grey, of 1

constexpr std::int64_t colour_count = 4;
constexpr std::int64_t shape_count = 2;
constexpr std::int64_t direction_count = 4;
constexpr std::int64_t combination_count = colour_count * shape_count * direction_count;

/// Red, green, blue of each colour, 0..255.
extern const std::array<std::array<double, 3>, colour_count> palette;
/// Unit steps (x, y) of each direction, y downwards: right, left, up, down.
extern const std::array<std::array<int, 2>, direction_count> steps;

/// What a clip shows; indices into the palette, {circle, square} and the directions.
struct Combination {
  std::int64_t colour = 0;
  std::int64_t shape = 0;
  std::int64_t direction = 0;
  friend bool operator==(const Combination& a, const Combination& b) {
    return a.colour == b.colour && a.shape == b.shape && a.direction == b.direction;
  }
};

/// Number 0 .. combination_count - 1, colour slowest, direction fastest.
[[nodiscard]] Combination combination(std::int64_t number);

/// "a red circle moving right on a black background", and back; nothing for other texts.
[[nodiscard]] std::string caption(const Combination& combination);
[[nodiscard]] std::optional<Combination> parse_caption(std::string_view text);

/// `count` combinations to keep out of training, chosen by `seed`: spread over colours, shapes and
/// directions, and such that every pair of colour and shape, colour and direction, shape and direction is
/// still shown. Throws UsageError if there are not as many.
[[nodiscard]] std::vector<Combination> left_out(std::int64_t count, std::uint64_t seed);

/// Clip `index` of a set: the frames of a shape of radius 9 to 14 pixels (a square of equal area) that
/// moves 1.2 to 2.2 pixels per frame and stays inside, all drawn by Philox from (seed, index).
[[nodiscard]] std::vector<Image> draw_clip(const Combination& combination, std::uint64_t seed,
                                           std::int64_t index);

}  // namespace wan::demo
