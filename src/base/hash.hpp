#pragma once
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace wan {

/// 128 bits; prints as 32 lower-case hexadecimal digits, high half first.
struct Hash128 {
  std::uint64_t low = 0;
  std::uint64_t high = 0;
  friend bool operator==(const Hash128& a, const Hash128& b) { return a.low == b.low && a.high == b.high; }
  friend bool operator!=(const Hash128& a, const Hash128& b) { return !(a == b); }
  /// Adds the hash of another part of the same tensor (both halves modulo 2^64).
  Hash128& operator+=(const Hash128& part) {
    low += part.low;
    high += part.high;
    return *this;
  }
};

[[nodiscard]] std::string to_hex(const Hash128& hash);
/// Inverse of to_hex; throws DataError naming `source` unless `hex` is 32 hexadecimal digits.
[[nodiscard]] Hash128 hash_from_hex(std::string_view hex, const std::string& source);

/// The splitmix64 finaliser (Steele, Lea, Flood 2014): a bijection that mixes all 64 bits.
[[nodiscard]] constexpr std::uint64_t mix64(std::uint64_t x) noexcept {
  x += 0x9e3779b97f4a7c15ULL;
  x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9ULL;
  x = (x ^ (x >> 27)) * 0x94d049bb133111ebULL;
  return x ^ (x >> 31);
}

/// Content hash of a run of tensor elements: the sum over elements of a 128-bit mix of (global index, bits).
/// It does not depend on how a tensor is split: partial hashes of disjoint runs add up to the whole's.
/// `element_bytes` is 1, 2, 4 or 8; element i of `data` has global index first_index + i.
[[nodiscard]] Hash128 content_hash(const void* data, std::int64_t count, int element_bytes,
                                   std::uint64_t first_index);

/// XXH3-128 of a byte string.
[[nodiscard]] Hash128 bytes_hash(const void* data, std::size_t bytes);
[[nodiscard]] inline Hash128 bytes_hash(std::string_view text) {
  return bytes_hash(text.data(), text.size());
}

/// XXH3-128 of a whole file, read in blocks. Throws NoInputError or IoError.
[[nodiscard]] Hash128 file_hash(const std::string& path);

}  // namespace wan
