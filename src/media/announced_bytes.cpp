#include "media/announced_bytes.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <limits>

#include "media/media_error.hpp"

namespace wan {
namespace {

constexpr std::int64_t unknown_size = -1;
constexpr std::int64_t most_boxes = 1 << 16;

class Bytes {
 public:
  explicit Bytes(const std::string& path) : in_(path, std::ios::binary) {
    if (!in_) throw MediaError(path, "unreadable", std::strerror(errno));
  }

  /// `count` <= 8 bytes at `at` as a big-endian number; false beyond the end.
  bool number(std::int64_t at, std::int64_t count, std::uint64_t& value) {
    std::array<char, 8> raw{};
    in_.clear();
    in_.seekg(at);
    if (!in_.read(raw.data(), count)) return false;
    value = 0;
    for (std::int64_t i = 0; i < count; ++i)
      value = value << 8 | static_cast<std::uint8_t>(raw[static_cast<std::size_t>(i)]);
    return true;
  }

 private:
  std::ifstream in_;
};

bool is_box_name(std::uint64_t name) {
  for (int i = 0; i < 4; ++i, name >>= 8) {
    const auto letter = static_cast<unsigned>(name & 0xff);
    if (letter < 0x20 || letter > 0x7e) return false;
  }
  return true;
}

std::int64_t end_of_boxes(Bytes& bytes) {
  std::int64_t at = 0;
  for (std::int64_t box = 0; box < most_boxes; ++box) {
    std::uint64_t size = 0;
    std::uint64_t name = 0;
    if (!bytes.number(at, 4, size) || !bytes.number(at + 4, 4, name)) return at;
    // What is no box behind the last one is padding; size 0 reaches to the end of the file.
    if (!is_box_name(name) || size == 0) return at;
    if (size == 1 && !bytes.number(at + 8, 8, size)) return at;
    if (size < 8 || size > static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max() - at))
      return at;
    at += static_cast<std::int64_t>(size);
  }
  return at;
}

/// An EBML variable-length size at `at`; moves past it.
std::int64_t ebml_size(Bytes& bytes, std::int64_t& at) {
  std::uint64_t first = 0;
  if (!bytes.number(at, 1, first) || first == 0) return unknown_size;
  std::int64_t length = 1;
  while ((first << (length - 1) & 0x80) == 0) ++length;
  std::uint64_t value = 0;
  if (!bytes.number(at, length, value)) return unknown_size;
  at += length;
  const std::uint64_t mask = (std::uint64_t{1} << (7 * length)) - 1;
  return (value & mask) == mask ? unknown_size : static_cast<std::int64_t>(value & mask);
}

std::int64_t end_of_segment(Bytes& bytes) {
  constexpr std::uint64_t segment_id = 0x18538067;
  std::int64_t at = 4;
  const std::int64_t header = ebml_size(bytes, at);
  if (header == unknown_size) return 0;
  at += header;
  std::uint64_t id = 0;
  if (!bytes.number(at, 4, id)) return at + 4;
  if (id != segment_id) return 0;
  at += 4;
  const std::int64_t segment = ebml_size(bytes, at);
  return segment == unknown_size ? 0 : at + segment;
}

}  // namespace

std::int64_t announced_bytes(const std::string& path) {
  constexpr std::uint64_t ebml_id = 0x1A45DFA3;
  Bytes bytes(path);
  std::uint64_t first = 0;
  std::uint64_t second = 0;
  if (!bytes.number(0, 4, first)) return 0;
  if (first == ebml_id) return end_of_segment(bytes);
  constexpr std::uint64_t openings[] = {0x66747970, 0x6d6f6f76, 0x6d646174,
                                        0x77696465, 0x66726565, 0x736b6970};
  if (!bytes.number(4, 4, second)) return 0;
  const bool boxes = std::find(std::begin(openings), std::end(openings), second) != std::end(openings);
  return boxes ? end_of_boxes(bytes) : 0;
}

}  // namespace wan
