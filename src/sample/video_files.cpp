#include "sample/video_files.hpp"

#include <cctype>
#include <cstdio>

#include "base/text.hpp"

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

}  // namespace wan
