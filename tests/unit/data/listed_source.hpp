#pragma once
#include <algorithm>
#include <random>
#include <vector>

#include "data/source.hpp"

namespace wan::test {

/// Samples whose data are their id, for tests of order and packing.
class ListedSource : public SampleSource {
 public:
  static ListedSource random(int samples, std::mt19937& random) {
    ListedSource source;
    for (int i = 0; i < samples; ++i) {
      const auto frames = static_cast<std::int64_t>(1 + random() % 5);
      const auto rows = static_cast<std::int64_t>(2 + 2 * (random() % 4));
      source.infos.push_back({std::uint64_t{random()} << 20 | static_cast<std::uint64_t>(i),
                              {1, frames, rows, 6},
                              static_cast<std::int64_t>(1 + random() % 4)});
    }
    return source;
  }

  [[nodiscard]] std::int64_t size() const override { return static_cast<std::int64_t>(infos.size()); }
  [[nodiscard]] SampleInfo info(std::int64_t index) const override {
    return infos[static_cast<std::size_t>(index)];
  }
  void read(std::int64_t index, float* latent, float* text) const override {
    const SampleInfo sample = info(index);
    std::fill(latent, latent + sample.latent.elements(), static_cast<float>(sample.id % 1000));
    std::fill(text, text + sample.text_rows * text_width(), -static_cast<float>(sample.id % 1000));
  }
  [[nodiscard]] std::int64_t text_width() const override { return 3; }
  [[nodiscard]] const TextEmbedding& null_text() const override { return null_text_; }

  std::vector<SampleInfo> infos;

 private:
  TextEmbedding null_text_{2, 3, std::vector<float>(6)};
};

}  // namespace wan::test
