#pragma once
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "media/image.hpp"
#include "media/rational.hpp"

namespace wan::test {

/// How a test's video is coded, for what wan's own writer does not make.
struct Coding {
  std::string encoder = "libx264";
  std::map<std::string, std::string> options;  ///< of the encoder: "g", "bf", "x264-params", …
  Rational rate{16, 1};
  /// When each frame is shown, in ticks of 1 / rate, rising; empty: 0, 1, 2, …
  std::vector<std::int64_t> times;
};

/// Codes `frames` into `path`, whose ending (.mp4, .mov, .mkv, .webm) names the container. Throws
/// std::runtime_error.
void write_coded(const std::string& path, const std::vector<Image>& frames, const Coding& coding);

/// Puts the video stream of `from` unchanged into another container.
void remux(const std::string& from, const std::string& to);

}  // namespace wan::test
