#pragma once
#include <cstdint>
#include <vector>

#include "data/packing.hpp"
#include "data/source.hpp"

namespace wan {

/// One sample of a pack in host memory.
struct HostSample {
  std::uint64_t id = 0;
  std::int64_t visit = 0;  ///< number of the epoch, the step of the sample's random numbers
  LatentShape latent;
  std::int64_t text_rows = 0;
};

/// Samples concatenated in host memory. `latents` holds [C, T', H', W'] of one sample after the other, `text`
/// their rows [Σ text_rows, text_width] without padding.
struct HostPack {
  std::vector<HostSample> samples;
  std::vector<float> latents;
  std::vector<float> text;
  std::int64_t text_width = 0;

  [[nodiscard]] std::int64_t tokens() const;
};

/// Reads the samples of `plan`. Throws what the source throws.
[[nodiscard]] HostPack read_pack(const SampleSource& source, const PackPlan& plan, std::int64_t visit);

}  // namespace wan
