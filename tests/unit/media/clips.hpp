#pragma once
#include <cstdint>
#include <string>

#include "media/image.hpp"
#include "media/rational.hpp"

/// Videos that tests make for themselves, with the frame's number drawn into each picture.
namespace wan::clips {

/// A folder of this test's own, empty at first, removed when the object goes.
class Folder {
 public:
  Folder();
  ~Folder();
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;
  [[nodiscard]] std::string file(const std::string& name) const { return path_ + "/" + name; }

 private:
  std::string path_;
};

/// Writes a file as it is (no sync: tests write thousands).
void write_bytes(const std::string& path, const std::string& bytes);

constexpr std::int64_t width = 96;
constexpr std::int64_t height = 64;

/// The number's lowest twelve bits as bright (1) and dark (0) squares of 16 pixels, 6 by 2, below a coloured
/// gradient.
[[nodiscard]] Image numbered(std::int64_t number);
/// What `numbered` drew, read back from a decoded picture.
[[nodiscard]] std::int64_t number_in(const Image& image);

/// Frames 0 .. count - 1 of `numbered` at `rate`.
void write_numbered(const std::string& path, std::int64_t count, Rational rate = {16, 1});

/// Moves the index of an mp4 before its data, as "faststart" does, so that a cut file can still be opened.
[[nodiscard]] std::string index_first(std::string mp4);
/// Replaces the display matrix of an mp4's track.
void patch_matrix(std::string& mp4, const std::int32_t matrix[9]);
/// Replaces the width and height fields of the sample description and of the track.
void patch_size(std::string& mp4, std::uint16_t w, std::uint16_t h);

}  // namespace wan::clips
