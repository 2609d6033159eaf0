#pragma once
#include <cstdint>

#include "data/source.hpp"

namespace wan {

/// Standard normal latents and texts, different for every sample and without end (epochs repeat the samples):
/// normals of (seed, sample number, step 0) with Purpose::mock_latent and Purpose::mock_text. The id of a
/// sample is its number. The empty prompt is one row of zeros.
class MockDataset : public SampleSource {
 public:
  MockDataset(std::uint64_t seed, std::int64_t samples, const LatentShape& latent, std::int64_t text_rows,
              std::int64_t text_width);

  [[nodiscard]] std::int64_t size() const override { return samples_; }
  [[nodiscard]] SampleInfo info(std::int64_t index) const override;
  void read(std::int64_t index, float* latent, float* text) const override;
  [[nodiscard]] std::int64_t text_width() const override { return text_width_; }
  [[nodiscard]] const TextEmbedding& null_text() const override { return null_text_; }

 private:
  std::uint64_t seed_;
  std::int64_t samples_;
  LatentShape latent_;
  std::int64_t text_rows_;
  std::int64_t text_width_;
  TextEmbedding null_text_;
};

}  // namespace wan
