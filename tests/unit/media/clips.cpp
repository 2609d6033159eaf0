#include "clips.hpp"

#include <stdlib.h>

#include <filesystem>
#include <fstream>
#include <stdexcept>

#include "media/writer.hpp"

namespace wan::clips {
namespace {

constexpr std::int64_t square = 16;
constexpr std::int64_t columns = width / square;
constexpr std::int64_t bits = 12;

void put32(std::string& bytes, std::size_t at, std::uint32_t value) {
  for (std::size_t i = 0; i < 4; ++i) bytes.at(at + i) = static_cast<char>((value >> (24 - 8 * i)) & 0xff);
}

std::uint32_t read32(const std::string& bytes, std::size_t at) {
  std::uint32_t value = 0;
  for (std::size_t i = 0; i < 4; ++i) value = value << 8 | static_cast<std::uint8_t>(bytes.at(at + i));
  return value;
}

std::size_t box(const std::string& bytes, const char* name) {
  const std::size_t at = bytes.find(name);
  if (at == std::string::npos) throw std::runtime_error(std::string("no box ") + name);
  return at;
}

}  // namespace

Folder::Folder() {
  std::string name = (std::filesystem::temp_directory_path() / "media_test_XXXXXX").string();
  if (mkdtemp(name.data()) == nullptr) throw std::runtime_error("mkdtemp");
  path_ = name;
}

Folder::~Folder() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

void write_bytes(const std::string& path, const std::string& bytes) {
  std::ofstream out(path, std::ios::binary);
  out << bytes;
  if (!out.flush()) throw std::runtime_error("cannot write " + path);
}

Image numbered(std::int64_t number) {
  Image image(width, height);
  for (std::int64_t y = 0; y < height; ++y) {
    for (std::int64_t x = 0; x < width; ++x) {
      std::uint8_t* const pixel = image.row(y) + x * 3;
      const std::int64_t bit = y / square * columns + x / square;
      const bool bright = bit < bits && ((number >> bit) & 1) != 0;
      pixel[0] = bit < bits ? (bright ? 230 : 25) : static_cast<std::uint8_t>(x * 2);
      pixel[1] = bit < bits ? pixel[0] : static_cast<std::uint8_t>(y * 3);
      pixel[2] = bit < bits ? pixel[0] : 90;
    }
  }
  return image;
}

std::int64_t number_in(const Image& image) {
  std::int64_t number = 0;
  for (std::int64_t bit = 0; bit < bits; ++bit) {
    const std::int64_t x = bit % columns * square + square / 2;
    const std::int64_t y = bit / columns * square + square / 2;
    if (image.row(y)[x * 3 + 1] > 127) number |= std::int64_t{1} << bit;
  }
  return number;
}

void write_numbered(const std::string& path, std::int64_t count, Rational rate) {
  VideoWriter writer(path, width, height, rate);
  for (std::int64_t i = 0; i < count; ++i) writer.add(numbered(i));
  writer.finish();
}

std::string index_first(std::string mp4) {
  const std::size_t moov = box(mp4, "moov") - 4;
  const std::uint32_t size = read32(mp4, moov);
  std::string index = mp4.substr(moov, size);
  const std::size_t stco = box(index, "stco");
  const std::uint32_t chunks = read32(index, stco + 8);
  for (std::uint32_t i = 0; i < chunks; ++i) {
    put32(index, stco + 12 + 4 * i, read32(index, stco + 12 + 4 * i) + size);
  }
  const std::size_t after_ftyp = read32(mp4, 0);
  mp4.erase(moov, size);
  return mp4.insert(after_ftyp, index);
}

void patch_matrix(std::string& mp4, const std::int32_t matrix[9]) {
  const std::size_t at = box(mp4, "tkhd") + 4 + 40;
  for (std::size_t i = 0; i < 9; ++i) put32(mp4, at + 4 * i, static_cast<std::uint32_t>(matrix[i]));
}

void patch_size(std::string& mp4, std::uint16_t w, std::uint16_t h) {
  const std::size_t track = box(mp4, "tkhd") + 4 + 40 + 36;
  put32(mp4, track, std::uint32_t{w} << 16);
  put32(mp4, track + 4, std::uint32_t{h} << 16);
  // Sample entry after its type: 6 reserved bytes, reference index, 16 predefined bytes, width, height.
  put32(mp4, mp4.find("avc1", box(mp4, "stsd")) + 4 + 6 + 2 + 16, std::uint32_t{w} << 16 | h);
}

}  // namespace wan::clips
