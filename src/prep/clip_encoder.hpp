#pragma once
#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "data/row_table.hpp"
#include "device/staging.hpp"
#include "model/vae/tiled_vae.hpp"
#include "prep/frame_queue.hpp"
#include "prep/moments_pool.hpp"

namespace wan {

/// A clip's moments on their way to the host: there once the device has passed `done`.
struct ClipMoments {
  std::shared_ptr<const float> values;  ///< [T', h, w, 2 z]
  Event done;
};

/// Clips to the posterior's moments, frame by frame as they arrive. Nothing waits for the device but for
/// room: while it encodes a chunk, the host gathers the next one's frames, of the same clip or of the next.
/// Memory is kept from clip to clip while the frame size stays.
class ClipEncoder {
 public:
  /// Frames that `tiling` cuts are gathered as a whole clip and encoded tile by tile, which the host waits
  /// for.
  ClipEncoder(const Vae& vae, const VaeTiling& tiling)
      : vae_(vae), tiling_(tiling), pool_(vae.device(), clips_at_once), tiles_(vae, tiling) {}

  /// Starts the encoding of the row whose frames `frames` gives, and returns when all its frames were taken.
  /// The moments of three clips may be in use at a time; a fourth waits. Throws the queue's Reject, and
  /// OutOfMemory, after which frames of another size may fit.
  [[nodiscard]] ClipMoments start(const Row& row, FrameQueue& frames);

 private:
  /// One that the device fills, one that is waited for, one that is being written.
  static constexpr std::size_t clips_at_once = 3;

  void prepare(const Row& row);
  void make_room(const Row& row);
  /// Copies the clip's next frames, `seen` having been taken.
  static void gather(const Row& row, FrameQueue& frames, std::int64_t seen, std::int64_t count,
                     std::uint8_t* to);
  /// Both return the number of moments made.
  [[nodiscard]] std::int64_t encode_whole(const Row& row, FrameQueue& frames, float* moments);
  [[nodiscard]] std::int64_t encode_tiles(const Row& row, FrameQueue& frames, float* moments);

  const Vae& vae_;
  VaeTiling tiling_;
  MomentsPool pool_;
  TiledEncoder tiles_;
  std::unique_ptr<VaeEncoder> encoder_;
  std::array<Staging, 2> chunks_;
  std::size_t chunk_ = 0;
};

/// The normalised latent [z, T', H', W'] of a row: its posterior's mean or, with `sample_seed`, a sample of
/// it drawn by (seed, row id, Purpose::posterior). `moments` [T', H', W', 2 z] are on the host. Throws Reject
/// latent_not_finite for a value that is not finite or beyond 1000 (DFM's own check of its samples).
[[nodiscard]] std::vector<float> latent_of(const VaeConfig& config, std::optional<std::uint64_t> sample_seed,
                                           const Row& row, const float* moments);

}  // namespace wan
