#pragma once
#include <cstdint>
#include <vector>

namespace wan {

/// One axis of a separable resize: output i is the sum over k < count of weight[i * count + k] times source
/// element index[i * count + k]. Indices lie inside the source; rows with fewer taps are filled up with
/// weight 0.
struct Taps {
  std::int64_t count = 0;
  std::vector<std::int32_t> index;
  std::vector<float> weight;
};

/// 1 - f and f on the two neighbours of the output's centre.
[[nodiscard]] Taps linear_taps(std::int64_t source, std::int64_t target);
/// Keys' cubic convolution with a = -0.75 on four neighbours.
[[nodiscard]] Taps cubic_taps(std::int64_t source, std::int64_t target);
/// sinc(x) sinc(x / 4) on eight neighbours, normalised to sum 1.
[[nodiscard]] Taps lanczos_taps(std::int64_t source, std::int64_t target);
/// Shares of the source cells that an output cell covers; source >= target.
[[nodiscard]] Taps area_taps(std::int64_t source, std::int64_t target);
/// What INTER_AREA does where it enlarges: linear between cells, but only within the part of an output cell
/// that crosses into the next source cell.
[[nodiscard]] Taps enlarged_area_taps(std::int64_t source, std::int64_t target);
/// The source element at floor(i * source / target).
[[nodiscard]] std::vector<std::int32_t> nearest_indices(std::int64_t source, std::int64_t target);

}  // namespace wan
