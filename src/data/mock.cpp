#include "data/mock.hpp"

#include "base/philox.hpp"

namespace wan {

MockDataset::MockDataset(std::uint64_t seed, std::int64_t samples, const LatentShape& latent,
                         std::int64_t text_rows, std::int64_t text_width)
    : seed_(seed), samples_(samples), latent_(latent), text_rows_(text_rows), text_width_(text_width) {
  null_text_ = {1, text_width, std::vector<float>(static_cast<std::size_t>(text_width))};
}

SampleInfo MockDataset::info(std::int64_t index) const {
  return {static_cast<std::uint64_t>(index), latent_, text_rows_};
}

void MockDataset::read(std::int64_t index, float* latent, float* text) const {
  const auto id = static_cast<std::uint64_t>(index);
  fill_normal(random_key(seed_, id, 0, Purpose::mock_latent), 0, latent_.elements(), latent);
  fill_normal(random_key(seed_, id, 0, Purpose::mock_text), 0, text_rows_ * text_width_, text);
}

}  // namespace wan
