#include "model/vae/tile_blender.hpp"

#include <algorithm>
#include <utility>

#include "base/error.hpp"
#include "base/text.hpp"

namespace wan {
namespace {

/// to = from (1 - share) + to share, over `count` values.
void fade(const float* from, float share, std::int64_t count, float* to) {
  for (std::int64_t i = 0; i < count; ++i) to[i] = from[i] * (1 - share) + to[i] * share;
}

}  // namespace

std::vector<TileSpan> tile_spans(std::int64_t extent, std::int64_t tile, std::int64_t stride) {
  std::vector<TileSpan> spans;
  for (std::int64_t begin = 0; begin < extent; begin += stride) {
    spans.push_back({begin, std::min(tile, extent - begin)});
  }
  return spans;
}

std::set<std::pair<std::int64_t, std::int64_t>> tile_extents(const std::vector<TileSpan>& rows,
                                                             const std::vector<TileSpan>& columns) {
  std::set<std::pair<std::int64_t, std::int64_t>> out;
  for (const TileSpan& down : rows) {
    for (const TileSpan& across : columns) out.emplace(down.extent, across.extent);
  }
  return out;
}

TileBlender::TileBlender(float* whole, std::int64_t frames, const Axis& rows, const Axis& columns,
                         std::int64_t channels)
    : whole_(whole),
      frames_(frames),
      rows_(rows),
      columns_(columns),
      channels_(channels),
      row_spans_(tile_spans(rows.extent, rows.tile, rows.stride)),
      column_spans_(tile_spans(columns.extent, columns.tile, columns.stride)) {}

void TileBlender::add(std::vector<float> values) {
  const std::size_t column = current_.size();
  if (row_ == row_spans_.size()) throw InternalError("[tiles] one more than there are");
  Tile tile{row_spans_[row_].extent, column_spans_[column].extent, std::move(values)};
  if (static_cast<std::int64_t>(tile.values.size()) != frames_ * tile.rows * tile.columns * channels_) {
    throw InternalError(cat("[tiles] ", tile.values.size(), " values for ", frames_, " frames of ", tile.rows,
                            " x ", tile.columns, " x ", channels_));
  }
  if (row_ > 0) fade_from_above(above_[column], tile);
  if (column > 0) fade_from_left(current_.back(), tile);
  place(tile, row_, column);
  current_.push_back(std::move(tile));
  if (current_.size() < column_spans_.size()) return;
  above_ = std::exchange(current_, {});
  ++row_;
}

void TileBlender::fade_from_above(const Tile& above, Tile& tile) const {
  const std::int64_t overlap = std::min({above.rows, tile.rows, rows_.tile - rows_.stride});
  const std::int64_t width = tile.columns * channels_;
  for (std::int64_t t = 0; t < frames_; ++t) {
    for (std::int64_t y = 0; y < overlap; ++y) {
      fade(above.values.data() + (t * above.rows + above.rows - overlap + y) * width,
           static_cast<float>(y) / static_cast<float>(overlap), width,
           tile.values.data() + (t * tile.rows + y) * width);
    }
  }
}

void TileBlender::fade_from_left(const Tile& left, Tile& tile) const {
  const std::int64_t overlap = std::min({left.columns, tile.columns, columns_.tile - columns_.stride});
  for (std::int64_t row = 0; row < frames_ * tile.rows; ++row) {
    for (std::int64_t x = 0; x < overlap; ++x) {
      fade(left.values.data() + (row * left.columns + left.columns - overlap + x) * channels_,
           static_cast<float>(x) / static_cast<float>(overlap), channels_,
           tile.values.data() + (row * tile.columns + x) * channels_);
    }
  }
}

void TileBlender::place(const Tile& tile, std::size_t row, std::size_t column) const {
  const std::int64_t rows = std::min(tile.rows, rows_.stride);
  const std::int64_t count = std::min(tile.columns, columns_.stride) * channels_;
  for (std::int64_t t = 0; t < frames_; ++t) {
    for (std::int64_t y = 0; y < rows; ++y) {
      const float* const from = tile.values.data() + (t * tile.rows + y) * tile.columns * channels_;
      const std::int64_t to =
          (t * rows_.extent + row_spans_[row].begin + y) * columns_.extent + column_spans_[column].begin;
      std::copy_n(from, count, whole_ + to * channels_);
    }
  }
}

}  // namespace wan
