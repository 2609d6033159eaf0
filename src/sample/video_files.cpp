#include "sample/video_files.hpp"

#include <algorithm>
#include <cctype>
#include <cmath>
#include <cstdio>
#include <optional>

#include "base/text.hpp"
#include "media/pixels.hpp"
#include "media/png.hpp"
#include "media/writer.hpp"

namespace wan {
namespace {

/// The first words of a text as lower-case ASCII letters and digits joined by '-'.
std::string slug(const std::string& text) {
  constexpr std::size_t most = 40;
  std::string out;
  for (const char c : text) {
    if (out.size() >= most) break;
    const auto byte = static_cast<unsigned char>(c);
    if (byte < 128 && std::isalnum(byte) != 0) {
      out += static_cast<char>(std::tolower(byte));
    } else if (!out.empty() && out.back() != '-') {
      out += '-';
    }
  }
  while (!out.empty() && out.back() == '-') out.pop_back();
  return out;
}

/// Frames per second to a thousandth.
Rational frame_rate(double fps) {
  return {static_cast<std::int64_t>(std::llround(fps * 1000)), 1000};
}

}  // namespace

std::string video_name(const std::string& prefix, std::int64_t place, const VideoRequest& request) {
  char number[24];
  std::snprintf(number, sizeof number, "%04lld", static_cast<long long>(place));
  const std::string words = slug(request.prompt);
  return cat(prefix, prefix.empty() ? "" : "_", number, words.empty() ? "" : "_", words, "_seed",
             request.seed, request.frames == 1 ? "_still" : "");
}

Shape latent_shape(const VaeConfig& vae, const VideoRequest& request) {
  return {vae.z_dim, vae.latent_frames(request.frames), request.size.height / vae.spatial_factor(),
          request.size.width / vae.spatial_factor()};
}

std::string video_path(const std::string& path_stem, const VideoRequest& request) {
  return path_stem + (request.frames == 1 ? ".png" : ".mp4");
}

void write_video(const Vae& vae, VaeDecoder& decoder, const std::vector<float>& latent,
                 const VideoRequest& request, double fps, const std::string& path) {
  const VaeGeometry& geometry = decoder.geometry();
  const Shape shape = latent_shape(vae.config(), request);
  const std::int64_t latent_frames = shape[1];
  const std::int64_t area = shape[2] * shape[3];
  const Tensor whole(const_cast<float*>(latent.data()), DType::f32, {shape[0], latent_frames * area});

  const bool picture = request.frames == 1;
  std::optional<VideoWriter> writer;
  if (!picture) writer.emplace(path, request.size.width, request.size.height, frame_rate(fps));
  std::vector<float> host;
  decoder.begin_clip();
  for (std::int64_t at = 0; at < latent_frames;) {
    const std::int64_t next = std::min(at + geometry.chunk, latent_frames);
    const Tensor frames = decoder.push(whole.col_range(at * area, next * area));
    host.resize(static_cast<std::size_t>(frames.elements()));
    vae.device().copy(host.data(), frames.data, frames.bytes());
    vae.device().synchronize();
    const std::int64_t values = 3 * request.size.height * request.size.width;
    for (std::int64_t t = 0; t < frames.shape[0]; ++t) {
      const Image image = image_from_floats(host.data() + t * values, request.size.width, request.size.height,
                                            picture ? ToBytes::round : ToBytes::truncate);
      if (picture) {
        write_png(path, image);
      } else {
        writer->add(image);
      }
    }
    at = next;
  }
  if (writer) writer->finish();
}

}  // namespace wan
