#include "weights/weight_files.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <cstring>

#include "base/bf16.hpp"
#include "base/error.hpp"
#include "support/temporary_folder.hpp"
#include "weights/weight_set.hpp"

namespace wan {
namespace {

/// `count` fp32 elements 0, 1, 2, …
StreamedTensor counting(const std::string& name, std::int64_t count) {
  return {name, DType::f32, {count}, [](std::int64_t first, std::int64_t n, void* to) {
            for (std::int64_t i = 0; i < n; ++i) static_cast<float*>(to)[i] = static_cast<float>(first + i);
          }};
}

TEST(weight_files, files_fill_in_order_up_to_the_limit) {
  const std::vector<StreamedTensor> tensors = {counting("a", 10), counting("b", 15), counting("c", 30),
                                               counting("d", 1)};
  const std::vector<WeightFile> one = deal_to_files(tensors, "stem", 56 * 4);
  ASSERT_EQ(one.size(), 1U);
  EXPECT_EQ(one[0].name, "stem.safetensors");
  const std::vector<WeightFile> some = deal_to_files(tensors, "stem", 25 * 4);
  ASSERT_EQ(some.size(), 3U);
  EXPECT_EQ(some[0].name, "stem-00001-of-00003.safetensors");
  EXPECT_EQ(some[0].tensors, (std::vector<std::size_t>{0, 1}));
  EXPECT_EQ(some[1].tensors, std::vector<std::size_t>{2}) << "larger than a file may be: alone in one";
  EXPECT_EQ(some[2].tensors, std::vector<std::size_t>{3});
  EXPECT_EQ(deal_to_files({}, "stem", 1).size(), 1U);
}

TEST(weight_files, what_is_dealt_to_shards_reads_as_one_set) {
  const test::TemporaryFolder folder;
  // More than a block of the writer.
  const std::int64_t large = (std::int64_t{1} << 21) + 77;
  write_weight_files(folder.path(), "model", {counting("a", 3), counting("large", large), counting("z", 5)},
                     1 << 20);
  const WeightSet set = WeightSet::open_component(folder.path());
  EXPECT_EQ(set.names(), (std::vector<std::string>{"a", "large", "z"}));
  std::vector<float> out(static_cast<std::size_t>(large));
  set.read("large", {large}, out.data());
  for (std::int64_t i = 0; i < large; ++i) ASSERT_EQ(out[static_cast<std::size_t>(i)], static_cast<float>(i));
  float three[3];
  set.read_elements("large", large - 3, 3, three);
  EXPECT_EQ(three[2], static_cast<float>(large - 1));
  EXPECT_THROW(set.read_elements("large", large - 2, 3, three), InternalError);
}

TEST(streamed_tensor, other_dtypes_widen_exactly_and_round_to_nearest_even) {
  const float values[] = {1.0F, -0.0F, 1.00390625F, 1.01171875F, 3.0e38F, 65504.0F};
  StreamedTensor tensor{"w", DType::f32, {6}, [&](std::int64_t first, std::int64_t count, void* to) {
                          std::memcpy(to, values + first, static_cast<std::size_t>(count) * sizeof(float));
                        }};
  const StreamedTensor rounded = stored_as(tensor, DType::bf16, "file");
  bf16 shorts[4];
  rounded.read(2, 4, shorts);
  for (int i = 0; i < 4; ++i) EXPECT_EQ(shorts[i].bits, to_bf16(values[2 + i]).bits);
  const StreamedTensor widened = stored_as(rounded, DType::f32, "file");
  float floats[6];
  widened.read(0, 6, floats);
  for (int i = 0; i < 6; ++i) EXPECT_EQ(floats[i], to_float(to_bf16(values[i])));

  std::vector<std::uint16_t> halves(65536);
  for (std::size_t i = 0; i < halves.size(); ++i) halves[i] = static_cast<std::uint16_t>(i);
  const StreamedTensor half{"h", DType::f16, {65536}, [&](std::int64_t first, std::int64_t count, void* to) {
                              std::memcpy(to, halves.data() + first, static_cast<std::size_t>(count) * 2);
                            }};
  std::vector<float> wide(halves.size());
  stored_as(half, DType::f32, "file").read(0, 65536, wide.data());
  for (std::size_t i = 0; i < halves.size(); ++i) {
    const bool nan = (halves[i] & 0x7fff) > 0x7c00;
    EXPECT_EQ(std::isnan(wide[i]), nan) << i;
    if (!nan) {
      ASSERT_EQ(float_to_half(wide[i]), halves[i]);
    }
  }
  tensor.dtype = DType::i32;
  EXPECT_THROW((void)stored_as(tensor, DType::f32, "file"), DataError);
}

}  // namespace
}  // namespace wan
