#include "base/hash.hpp"

#include <xxhash.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <memory>
#include <vector>

#include "base/error.hpp"

namespace wan {

std::string to_hex(const Hash128& hash) {
  char buffer[33];
  std::snprintf(buffer, sizeof buffer, "%016llx%016llx", static_cast<unsigned long long>(hash.high),
                static_cast<unsigned long long>(hash.low));
  return buffer;
}

Hash128 hash_from_hex(std::string_view hex, const std::string& source) {
  Hash128 out;
  if (hex.size() != 32)
    throw DataError(source, "a hash has 32 hexadecimal digits, found '" + std::string(hex) + "'");
  for (std::size_t i = 0; i < 32; ++i) {
    const char c = hex[i];
    std::uint64_t digit = 0;
    if (c >= '0' && c <= '9') {
      digit = static_cast<std::uint64_t>(c - '0');
    } else if (c >= 'a' && c <= 'f') {
      digit = static_cast<std::uint64_t>(c - 'a') + 10;
    } else {
      throw DataError(source, "a hash has 32 hexadecimal digits, found '" + std::string(hex) + "'");
    }
    std::uint64_t& half = i < 16 ? out.high : out.low;
    half = half << 4 | digit;
  }
  return out;
}

namespace {

template <class Bits>
inline __attribute__((always_inline)) Hash128 sum_of_mixes(const void* data, std::int64_t count,
                                                           std::uint64_t first_index) {
  const auto* bytes = static_cast<const unsigned char*>(data);
  Hash128 sum;
  for (std::int64_t i = 0; i < count; ++i) {
    Bits bits;
    std::memcpy(&bits, bytes + static_cast<std::size_t>(i) * sizeof bits, sizeof bits);
    const std::uint64_t place = (first_index + static_cast<std::uint64_t>(i)) * 0xd1342543de82ef95ULL;
    const std::uint64_t low = mix64(place ^ (static_cast<std::uint64_t>(bits) * 0xa0761d6478bd642fULL));
    sum.low += low;
    sum.high += mix64(low ^ place ^ 0x8ebc6af09c88c6e3ULL);
  }
  return sum;
}

template <class Bits>
Hash128 sum_anywhere(const void* data, std::int64_t count, std::uint64_t first_index) {
  return sum_of_mixes<Bits>(data, count, first_index);
}

#if defined(__x86_64__)
#if defined(__clang__)
#define WAN_AVX512 "avx512f,avx512dq,avx512vl,avx512bw"
#else
#define WAN_AVX512 "avx512f,avx512dq,avx512vl,avx512bw,prefer-vector-width=512"
#endif

// The products of 64 bits are what it is made of, and AVX-512 is the first to have them.
template <class Bits>
__attribute__((target(WAN_AVX512))) Hash128 sum_by_avx512(const void* data, std::int64_t count,
                                                          std::uint64_t first_index) {
  return sum_of_mixes<Bits>(data, count, first_index);
}

bool has_avx512() {
  static const bool found =
      __builtin_cpu_supports("avx512f") != 0 && __builtin_cpu_supports("avx512dq") != 0 &&
      __builtin_cpu_supports("avx512vl") != 0 && __builtin_cpu_supports("avx512bw") != 0;
  return found;
}
#endif

template <class Bits>
Hash128 sum_here(const void* data, std::int64_t count, std::uint64_t first_index) {
#if defined(__x86_64__)
  if (has_avx512()) return sum_by_avx512<Bits>(data, count, first_index);
#endif
  return sum_anywhere<Bits>(data, count, first_index);
}

}  // namespace

Hash128 content_hash(const void* data, std::int64_t count, int element_bytes, std::uint64_t first_index) {
  switch (element_bytes) {
    case 1:
      return sum_here<std::uint8_t>(data, count, first_index);
    case 2:
      return sum_here<std::uint16_t>(data, count, first_index);
    case 4:
      return sum_here<std::uint32_t>(data, count, first_index);
    case 8:
      return sum_here<std::uint64_t>(data, count, first_index);
    default:
      throw InternalError("[content_hash] elements of " + std::to_string(element_bytes) + " bytes");
  }
}

Hash128 bytes_hash(const void* data, std::size_t bytes) {
  const XXH128_hash_t hash = XXH3_128bits(data, bytes);
  return {hash.low64, hash.high64};
}

Hash128 file_hash(const std::string& path) {
  const std::unique_ptr<std::FILE, int (*)(std::FILE*)> file(std::fopen(path.c_str(), "rb"), std::fclose);
  if (!file) throw NoInputError(path, std::strerror(errno));
  const std::unique_ptr<XXH3_state_t, XXH_errorcode (*)(XXH3_state_t*)> state(XXH3_createState(),
                                                                              XXH3_freeState);
  XXH3_128bits_reset(state.get());
  std::vector<char> block(std::size_t{1} << 20);
  for (;;) {
    const std::size_t got = std::fread(block.data(), 1, block.size(), file.get());
    if (got == 0) break;
    XXH3_128bits_update(state.get(), block.data(), got);
  }
  if (std::ferror(file.get()) != 0) throw IoError(path, errno, "cannot read");
  const XXH128_hash_t hash = XXH3_128bits_digest(state.get());
  return {hash.low64, hash.high64};
}

}  // namespace wan
