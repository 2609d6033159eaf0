#include "model/dit/pack.hpp"

#include <algorithm>
#include <utility>

#include "base/error.hpp"
#include "base/text.hpp"
#include "model/dit/config.hpp"

namespace wan {
namespace {

/// Adds what belongs to no sample: rows without keys, and keys that no row sees.
void close_tail(AttentionSegments& segments, std::int64_t rows, std::int64_t key_rows) {
  segments.query.insert(segments.query.end(), {rows, rows});
  segments.key.insert(segments.key.end(), {segments.key.back(), key_rows});
  segments.last_key_count.insert(segments.last_key_count.end(), {1, 1});
}

void check(const PackSample& sample, std::size_t index) {
  const Grid& grid = sample.grid;
  if (grid.frames < 1 || grid.rows < 1 || grid.columns < 1) {
    throw Error(ExitCode::data, cat("[pack] sample ", index, " has the grid ", grid.frames, " x ", grid.rows,
                                    " x ", grid.columns, "; allowed: at least 1 each"));
  }
  if (sample.text_length < 0 || sample.text_length > DitConfig::text_slots) {
    throw Error(ExitCode::data, cat("[pack] sample ", index, " has ", sample.text_length,
                                    " text rows; allowed: 0 to ", DitConfig::text_slots));
  }
}

}  // namespace

std::int64_t row_multiple(DeviceKind kind) {
  return kind == DeviceKind::host ? 16 : 128;
}

Pack::Pack(std::vector<PackSample> samples, std::int64_t row_multiple) : samples_(std::move(samples)) {
  constexpr std::int64_t slots = DitConfig::text_slots;
  layout_.offset = {0};
  text_offset_ = {0};
  for (std::size_t s = 0; s < samples_.size(); ++s) {
    const PackSample& sample = samples_[s];
    check(sample, s);
    layout_.grid.push_back(sample.grid);
    layout_.offset.push_back(layout_.offset.back() + sample.grid.tokens());
    text_offset_.push_back(text_offset_.back() + kept_text_rows(sample.text_length, slots));
    cross_attention_.last_key_count.push_back(std::max<std::int64_t>(slots - sample.text_length, 1));
  }
  rows_ = rounded_up(tokens(), row_multiple);
  text_rows_ = rounded_up(text_offset_.back(), row_multiple);

  self_attention_.query = self_attention_.key = layout_.offset;
  self_attention_.last_key_count.assign(samples_.size(), 1);
  close_tail(self_attention_, rows_, rows_);
  cross_attention_.query = layout_.offset;
  cross_attention_.key = text_offset_;
  close_tail(cross_attention_, rows_, text_rows_);
}

Pack Pack::largest(const PackCapacity& capacity, std::int64_t row_multiple) {
  std::vector<PackSample> samples(static_cast<std::size_t>(capacity.samples), {{1, 1, 1}, 0, 0});
  samples.front().grid.frames = capacity.tokens - (capacity.samples - 1);
  std::int64_t spare = capacity.text_rows - capacity.samples;
  for (PackSample& sample : samples) {
    const std::int64_t kept = 1 + std::min(spare, DitConfig::text_slots - 1);
    sample.text_length = kept == DitConfig::text_slots ? kept : kept - 1;
    spare -= kept - 1;
  }
  return Pack(std::move(samples), row_multiple);
}

}  // namespace wan
