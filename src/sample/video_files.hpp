#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include "model/vae/vae_streams.hpp"
#include "sample/prompt_list.hpp"

namespace wan {

/// "0003_a-red-fox_seed42": the place in the list keeps names apart and in order. `prefix`, if not empty,
/// comes first; a single frame ends in "_still", so that its record is not that of a video.
[[nodiscard]] std::string video_name(const std::string& prefix, std::int64_t place,
                                     const VideoRequest& request);

/// The latent of a video that was asked for, [z, T', h, w].
[[nodiscard]] Shape latent_shape(const VaeConfig& vae, const VideoRequest& request);

/// `path_stem`.mp4, or .png for one frame.
[[nodiscard]] std::string video_path(const std::string& path_stem, const VideoRequest& request);

/// Decodes a normalised latent [z, T', h, w] chunk by chunk, so that memory does not grow with the length,
/// and writes the video or picture in one step under its name `path`. Throws CreateError, IoError.
void write_video(const Vae& vae, VaeDecoder& decoder, const std::vector<float>& latent,
                 const VideoRequest& request, double fps, const std::string& path);

}  // namespace wan
