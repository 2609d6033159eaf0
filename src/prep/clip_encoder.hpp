#pragma once
#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "data/row_table.hpp"
#include "model/vae/vae_streams.hpp"
#include "prep/frame_queue.hpp"

namespace wan {

/// Clips to latents, frame by frame as they arrive. Memory is kept from clip to clip while the frame size
/// stays.
class ClipEncoder {
 public:
  /// Gives the posterior's mean, or with `sample_seed` a sample of it drawn by (seed, row id,
  /// Purpose::posterior).
  ClipEncoder(const Vae& vae, std::optional<std::uint64_t> sample_seed);

  /// The normalised latent [C, T', H', W'] of the row whose frames `frames` gives. Throws the queue's Reject,
  /// and Reject latent_not_finite for a value that is not finite or beyond 1000 (DFM's own check of its
  /// samples).
  [[nodiscard]] std::vector<float> encode(const Row& row, FrameQueue& frames);

 private:
  void start(const Row& row);
  void push(const Row& row, std::int64_t frames, std::vector<float>& latent);

  const Vae& vae_;
  std::optional<std::uint64_t> sample_seed_;
  std::unique_ptr<VaeEncoder> encoder_;
  std::vector<std::uint8_t> chunk_;
  std::vector<float> moments_;
  std::int64_t done_ = 0;  ///< latent frames of the clip
};

}  // namespace wan
