#pragma once
#include <cstdint>
#include <set>
#include <utility>
#include <vector>

namespace wan {

/// Where a tile lies on one axis.
struct TileSpan {
  std::int64_t begin = 0;
  std::int64_t extent = 0;
};

/// Tiles of `tile` every `stride` along an axis of `extent`; the last ones are cut off at its end.
[[nodiscard]] std::vector<TileSpan> tile_spans(std::int64_t extent, std::int64_t tile, std::int64_t stride);

/// Extents (rows, columns) that tiles have, each pair once.
[[nodiscard]] std::set<std::pair<std::int64_t, std::int64_t>> tile_extents(
    const std::vector<TileSpan>& rows, const std::vector<TileSpan>& columns);

/// Joins overlapping tiles of a clip, row of tiles by row of tiles. In an overlap the earlier tile fades out
/// linearly and the later one in, from above first and then from the left (diffusers AutoencoderKLWan
/// blend_v, blend_h, in the order of tiled_decode).
class TileBlender {
 public:
  struct Axis {
    std::int64_t extent = 0;  ///< of the whole
    std::int64_t tile = 0;
    std::int64_t stride = 0;  ///< at least half of `tile`
  };
  /// `whole` [frames, rows, columns, channels] is written.
  TileBlender(float* whole, std::int64_t frames, const Axis& rows, const Axis& columns,
              std::int64_t channels);

  [[nodiscard]] const std::vector<TileSpan>& rows() const { return row_spans_; }
  [[nodiscard]] const std::vector<TileSpan>& columns() const { return column_spans_; }

  /// The next tile, left to right and then down: [frames, its rows, its columns, channels].
  void add(std::vector<float> tile);

 private:
  struct Tile {
    std::int64_t rows = 0;
    std::int64_t columns = 0;
    std::vector<float> values;
  };
  void fade_from_above(const Tile& above, Tile& tile) const;
  void fade_from_left(const Tile& left, Tile& tile) const;
  void place(const Tile& tile, std::size_t row, std::size_t column) const;

  float* whole_;
  std::int64_t frames_;
  Axis rows_;
  Axis columns_;
  std::int64_t channels_;
  std::vector<TileSpan> row_spans_;
  std::vector<TileSpan> column_spans_;
  std::vector<Tile> above_;    ///< the row of tiles before this one
  std::vector<Tile> current_;  ///< this row of tiles, so far
  std::size_t row_ = 0;
};

}  // namespace wan
