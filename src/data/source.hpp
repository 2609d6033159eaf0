#pragma once
#include <cstdint>
#include <vector>

#include "data/sample.hpp"

namespace wan {

/// What can be known of a sample without reading it.
struct SampleInfo {
  std::uint64_t id = 0;
  LatentShape latent;
  std::int64_t text_rows = 0;
};

/// Text embedding [rows, width], row-major.
struct TextEmbedding {
  std::int64_t rows = 0;
  std::int64_t width = 0;
  std::vector<float> values;
};

/// Samples to train on or to validate with. `index` is 0 .. size() - 1. Calls of one object come from one
/// thread at a time.
class SampleSource {
 public:
  virtual ~SampleSource() = default;
  /// Samples of one epoch.
  [[nodiscard]] virtual std::int64_t size() const = 0;
  [[nodiscard]] virtual SampleInfo info(std::int64_t index) const = 0;
  /// Fills `latent` ([C, T', H', W']) and `text` ([text_rows, text_width()]). Throws DataError, IoError.
  virtual void read(std::int64_t index, float* latent, float* text) const = 0;
  [[nodiscard]] virtual std::int64_t text_width() const = 0;
  /// The empty prompt's embedding, which stands in for a dropped text.
  [[nodiscard]] virtual const TextEmbedding& null_text() const = 0;
};

}  // namespace wan
