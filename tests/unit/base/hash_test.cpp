#include "base/hash.hpp"

#include <gtest/gtest.h>

#include <vector>

#include "base/error.hpp"

namespace wan {
namespace {

TEST(content_hash, parts_add_up_to_the_whole_under_any_split) {
  std::vector<float> data(1000);
  for (std::size_t i = 0; i < data.size(); ++i) data[i] = static_cast<float>(i) * 0.37F - 5.0F;
  const Hash128 whole = content_hash(data.data(), 1000, 4, 0);
  for (std::int64_t cut : {0, 1, 17, 500, 999, 1000}) {
    Hash128 sum = content_hash(data.data(), cut, 4, 0);
    sum += content_hash(data.data() + cut, 1000 - cut, 4, static_cast<std::uint64_t>(cut));
    EXPECT_EQ(sum, whole) << "cut at " << cut;
  }
}

// One element at a time is the formula itself; many at once may be done in vectors.
TEST(content_hash, is_the_sum_over_single_elements) {
  std::vector<std::uint64_t> data(300);
  for (std::size_t i = 0; i < data.size(); ++i) data[i] = mix64(i);
  for (const int width : {1, 2, 4, 8}) {
    const auto count = static_cast<std::int64_t>(data.size()) * 8 / width - 3;
    for (const std::uint64_t first : {std::uint64_t{0}, std::uint64_t{1} << 40}) {
      Hash128 sum;
      for (std::int64_t i = 0; i < count; ++i) {
        const auto* const element = reinterpret_cast<const char*>(data.data()) + i * width;
        sum += content_hash(element, 1, width, first + static_cast<std::uint64_t>(i));
      }
      EXPECT_EQ(content_hash(data.data(), count, width, first), sum) << width;
    }
  }
}

TEST(content_hash, any_flipped_bit_and_any_swap_changes_it) {
  std::vector<std::uint16_t> data(64);
  for (std::size_t i = 0; i < data.size(); ++i) data[i] = static_cast<std::uint16_t>(i * 1009);
  const Hash128 whole = content_hash(data.data(), 64, 2, 0);
  for (std::size_t i = 0; i < data.size(); ++i) {
    for (int bit = 0; bit < 16; ++bit) {
      auto changed = data;
      changed[i] = static_cast<std::uint16_t>(changed[i] ^ (1U << bit));
      EXPECT_NE(content_hash(changed.data(), 64, 2, 0), whole);
    }
  }
  auto swapped = data;
  std::swap(swapped[3], swapped[4]);
  EXPECT_NE(content_hash(swapped.data(), 64, 2, 0), whole);
}

TEST(content_hash, hexadecimal_round_trip_and_refusal) {
  const Hash128 hash{0x0123456789abcdefULL, 0xfedcba9876543210ULL};
  EXPECT_EQ(to_hex(hash), "fedcba98765432100123456789abcdef");
  EXPECT_EQ(hash_from_hex(to_hex(hash), "test"), hash);
  EXPECT_THROW((void)hash_from_hex("12", "test"), DataError);
  EXPECT_THROW((void)hash_from_hex(std::string(31, 'a') + "G", "test"), DataError);
}

}  // namespace
}  // namespace wan
