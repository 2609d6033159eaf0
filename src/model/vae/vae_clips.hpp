#pragma once
#include <functional>

#include "model/vae/vae_streams.hpp"

namespace wan {

/// Takes a chunk, in device memory that the next chunk overwrites, and the number of its first frame in the
/// clip.
using FrameSink = std::function<void(const Tensor& chunk, std::int64_t first)>;

/// Pushes a clip that is in memory as a whole, dense [T, H, W, 3], u8 or fp32, to `encoder`; `sink` gets the
/// moments [t, h, w, 2 z] and their first latent frame. Trailing frames that fill no latent frame are left
/// out.
void encode_clip(VaeEncoder& encoder, const Tensor& video, const FrameSink& sink);

/// Pushes a clip's latents, [z, T' h w] fp32, to `decoder`; `sink` gets the video [t, H, W, 3] and its first
/// frame.
void decode_clip(VaeDecoder& decoder, const Tensor& latents, const FrameSink& sink);

}  // namespace wan
