#include "train/event_file.hpp"

#include <unistd.h>

#include <array>
#include <chrono>
#include <cstring>

#include "base/file.hpp"
#include "base/text.hpp"

namespace wan {
namespace {

constexpr std::array<std::uint32_t, 256> castagnoli_table() {
  std::array<std::uint32_t, 256> table{};
  for (std::uint32_t byte = 0; byte < 256; ++byte) {
    std::uint32_t value = byte;
    for (int bit = 0; bit < 8; ++bit) value = (value >> 1) ^ ((value & 1U) != 0 ? 0x82f63b78U : 0U);
    table[byte] = value;
  }
  return table;
}

constexpr std::array<std::uint32_t, 256> table = castagnoli_table();

template <class T>
std::string little_endian(T value) {
  std::string out(sizeof value, '\0');
  std::memcpy(out.data(), &value, sizeof value);
  return out;
}

std::string varint(std::uint64_t value) {
  std::string out;
  for (; value >= 128; value >>= 7) out += static_cast<char>((value & 127U) | 128U);
  return out + static_cast<char>(value);
}

/// Wire types of protobuf: 0 varint, 1 eight bytes, 2 length and bytes, 5 four bytes.
std::string tag_of(std::uint64_t field, std::uint64_t wire_type) {
  return varint(field << 3 | wire_type);
}

std::string bytes_field(std::uint64_t field, std::string_view bytes) {
  return tag_of(field, 2) + varint(bytes.size()) + std::string(bytes);
}

double seconds_now() {
  return std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch()).count();
}

std::string event_at(std::int64_t step) {
  return tag_of(1, 1) + little_endian(seconds_now()) + tag_of(2, 0) +
         varint(static_cast<std::uint64_t>(step));
}

std::uint32_t masked_crc(std::string_view bytes) {
  const std::uint32_t crc = crc32c(bytes);
  return ((crc >> 15) | (crc << 17)) + 0xa282ead8U;
}

std::string new_path(const std::string& folder) {
  make_folders(folder);
  char host[256] = "host";
  ::gethostname(host, sizeof host - 1);
  return cat(folder, "/events.out.tfevents.", static_cast<std::int64_t>(seconds_now()), ".", host, ".",
             ::getpid());
}

}  // namespace

std::uint32_t crc32c(std::string_view bytes) {
  std::uint32_t crc = 0xffffffffU;
  for (const char c : bytes) crc = (crc >> 8) ^ table[(crc ^ static_cast<unsigned char>(c)) & 0xffU];
  return ~crc;
}

EventFile::EventFile(const std::string& folder, std::int64_t first_step) : file_(new_path(folder)) {
  write(event_at(0) + bytes_field(3, "brain.Event:2"));
  const std::string session_start = tag_of(1, 0) + varint(1);
  write(event_at(first_step) + bytes_field(7, session_start));
}

void EventFile::scalar(std::string_view tag, std::int64_t step, double value) {
  const std::string simple_value = tag_of(2, 5) + little_endian(static_cast<float>(value));
  const std::string summary = bytes_field(1, bytes_field(1, tag) + simple_value);
  write(event_at(step) + bytes_field(5, summary));
}

void EventFile::write(const std::string& event) {
  const std::string length = little_endian(static_cast<std::uint64_t>(event.size()));
  file_.add(length);
  file_.add(little_endian(masked_crc(length)));
  file_.add(event);
  file_.add(little_endian(masked_crc(event)));
}

}  // namespace wan
