#pragma once
#include <cstdint>
#include <vector>

#include "device/device.hpp"
#include "device/ops/attention.hpp"
#include "device/ops/patch.hpp"

namespace wan {

/// One sample of a pack.
struct PackSample {
  Grid grid;
  float timestep = 0;            ///< 0..1000, the model's input t (not sigma)
  std::int64_t text_length = 0;  ///< rows of its text embedding, 0..512
};

/// The most that a pack may hold; memory is planned for it once.
struct PackCapacity {
  std::int64_t tokens = 0;
  std::int64_t text_rows = 0;  ///< kept rows: text_length + 1 per sample, or 512
  std::int64_t samples = 0;
};

/// Rows of token and text matrices are rounded up to a multiple of this, so that GPU plans are few; on the
/// host, where nothing is gained by it, to a multiple of one vector of bf16.
[[nodiscard]] std::int64_t row_multiple(DeviceKind kind);

[[nodiscard]] constexpr std::int64_t rounded_up(std::int64_t count, std::int64_t multiple) {
  return (count + multiple - 1) / multiple * multiple;
}

/// Rows that are kept of a prompt of `length` rows padded to `slots`: all padded rows are equal, so one of
/// them stands for them with the multiplicity slots - length (exact: their keys and values are equal too).
[[nodiscard]] constexpr std::int64_t kept_text_rows(std::int64_t length, std::int64_t slots) {
  return length < slots ? length + 1 : length;
}

/// The host's description of samples concatenated along tokens. Attention stays inside a sample. Rows past
/// the last token belong to no sample: they form a segment without keys, and their gradients are zero. The
/// same holds for text rows.
///
/// Text rows lie sample after sample: text_length rows of embedding, then one zero row if text_length < 512,
/// then zero rows up to text_rows().
class Pack {
 public:
  /// Throws Error (data) for a grid without tokens or a text length outside 0..text_slots.
  Pack(std::vector<PackSample> samples, std::int64_t row_multiple);

  /// A pack that fills `capacity`, to plan with.
  [[nodiscard]] static Pack largest(const PackCapacity& capacity, std::int64_t row_multiple);

  [[nodiscard]] const std::vector<PackSample>& samples() const { return samples_; }
  /// Token offsets (n + 1) and grids.
  [[nodiscard]] const PatchLayout& layout() const { return layout_; }
  /// First kept text row of each sample (n + 1).
  [[nodiscard]] const std::vector<std::int64_t>& text_offset() const { return text_offset_; }

  [[nodiscard]] std::int64_t tokens() const { return layout_.offset.back(); }
  /// Tokens rounded up: rows of every token matrix.
  [[nodiscard]] std::int64_t rows() const { return rows_; }
  /// Kept text rows rounded up: rows of every text matrix.
  [[nodiscard]] std::int64_t text_rows() const { return text_rows_; }

  /// This rank's tokens [token_begin, token_end) of rows(): all of them without context parallelism.
  [[nodiscard]] std::int64_t token_begin() const { return 0; }
  [[nodiscard]] std::int64_t token_end() const { return rows_; }

  [[nodiscard]] const AttentionSegments& self_attention() const { return self_attention_; }
  [[nodiscard]] const AttentionSegments& cross_attention() const { return cross_attention_; }

 private:
  std::vector<PackSample> samples_;
  PatchLayout layout_;
  std::vector<std::int64_t> text_offset_;
  std::int64_t rows_ = 0;
  std::int64_t text_rows_ = 0;
  AttentionSegments self_attention_;
  AttentionSegments cross_attention_;
};

}  // namespace wan
