#pragma once
#include <string>

#include "base/text.hpp"
#include "config/choices.hpp"
#include "config/vae_tiling.hpp"
#include "device/device.hpp"
#include "device/out_of_memory.hpp"

namespace wan {

/// What to change where a GPU has not the memory for the text encoder, the VAE or what they compute.
[[nodiscard]] inline std::string prep_advice(const VaeTiling& tiling, ModelStorage encoders) {
  const std::string tiles =
      cat("--vae_tiling (which cuts frames of more than ", tiling.tile_sample_min_height, " high x ",
          tiling.tile_sample_min_width, " wide) or ");
  return cat("what helps is ", encoders == ModelStorage::fp32 ? "--encoder_dtype bf16 or " : "",
             "a GPU that nobody else uses or that has more memory; for clips also ",
             tiling.enabled ? "" : tiles, "smaller frames");
}

/// Calls `body`, which works on `device`; an OutOfMemory of a GPU leaves it with the advice. For use inside
/// of what ranks do together, which leaves of an exception only its words.
template <class Body>
void with_prep_advice(const Device& device, const VaeTiling& tiling, ModelStorage encoders,
                      const Body& body) {
  try {
    body();
  } catch (const OutOfMemory& error) {
    if (device.kind() == DeviceKind::host) throw;
    throw OutOfMemory(error.asked, cat(error.what(), "; ", prep_advice(tiling, encoders)));
  }
}

}  // namespace wan
