#pragma once
#include <cstdint>
#include <string>

#include "model/vae/vae_config.hpp"
#include "sample/prompt_list.hpp"
#include "tensor/shape.hpp"

namespace wan {

/// "0003_a-red-fox_seed42": the place in the list keeps names apart and in order. `prefix`, if not empty,
/// comes first; a single frame ends in "_still", so that its record is not that of a video.
[[nodiscard]] std::string video_name(const std::string& prefix, std::int64_t place,
                                     const VideoRequest& request);

/// The latent of a video that was asked for, [z, T', h, w].
[[nodiscard]] Shape latent_shape(const VaeConfig& vae, const VideoRequest& request);

/// `path_stem`.mp4, or .png for one frame.
[[nodiscard]] std::string video_path(const std::string& path_stem, const VideoRequest& request);

}  // namespace wan
