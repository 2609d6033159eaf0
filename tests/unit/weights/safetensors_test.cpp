#include "weights/safetensors.hpp"

#include <gtest/gtest.h>

#include <cstring>

#include "base/bf16.hpp"
#include "base/error.hpp"
#include "support/temporary_folder.hpp"

namespace wan {
namespace {

TEST(safetensors, what_was_written_is_read_back) {
  const test::TemporaryFolder folder;
  const std::vector<float> floats = {0.0F, -1.5F, 3.25e-20F, 1e30F, 7.0F, -0.0F};
  std::vector<bf16> shorts;
  std::vector<std::uint16_t> halves;
  for (const float value : floats) {
    shorts.push_back(to_bf16(value));
    halves.push_back(float_to_half(value));
  }
  const std::vector<double> doubles = {0.1, -1e300};
  const std::vector<std::int64_t> longs = {-1, std::int64_t{1} << 60};
  const std::vector<std::int32_t> ints = {-7, 7};
  write_safetensors(folder / "a",
                    {{"b.half", DType::f16, {6}, halves.data()},
                     {"z", DType::f32, {2, 3}, floats.data()},
                     {"a.short", DType::bf16, {3, 1, 2}, shorts.data()},
                     {"double", DType::f64, {2}, doubles.data()},
                     {"long", DType::i64, {2}, longs.data()},
                     {"int", DType::i32, {2}, ints.data()},
                     {"scalar", DType::f32, Shape(), floats.data() + 1},
                     {"nothing", DType::f32, {0, 4}, nullptr}},
                    {{"format", "pt"}, {"quote", "a\"b\\"}});

  const SafetensorsFile file(folder / "a");
  ASSERT_EQ(file.tensors().size(), 8U);
  EXPECT_TRUE(std::is_sorted(file.tensors().begin(), file.tensors().end(),
                             [](const StoredTensor& x, const StoredTensor& y) { return x.name < y.name; }));
  EXPECT_EQ(file.metadata(),
            (std::vector<std::pair<std::string, std::string>>{{"format", "pt"}, {"quote", "a\"b\\"}}));
  EXPECT_EQ(file.floats("z"), floats);
  EXPECT_EQ(file.at("z").shape, (Shape{2, 3}));
  EXPECT_EQ(file.doubles("double"), doubles);
  EXPECT_EQ(file.doubles("scalar"), std::vector<double>{-1.5});
  EXPECT_EQ(file.integers("long"), longs);
  EXPECT_EQ(file.integers("int"), (std::vector<std::int64_t>{-7, 7}));
  EXPECT_TRUE(file.floats("nothing").empty());
  const std::vector<float> short_floats = file.floats("a.short");
  const std::vector<float> half_floats = file.floats("b.half");
  for (std::size_t i = 0; i < floats.size(); ++i) {
    EXPECT_EQ(short_floats[i], to_float(shorts[i]));
    EXPECT_EQ(half_floats[i], half_to_float(halves[i]));
  }
  for (const StoredTensor& tensor : file.tensors()) {
    EXPECT_EQ(tensor.offset % bytes_of(tensor.dtype), 0) << tensor.name;
  }
}

TEST(safetensors, tensors_longer_than_one_block_convert_and_hash_whole) {
  const test::TemporaryFolder folder;
  std::vector<bf16> values((std::size_t{1} << 19) + 12345);
  for (std::size_t i = 0; i < values.size(); ++i) values[i].bits = static_cast<std::uint16_t>(i % 0x7f80);
  const auto count = static_cast<std::int64_t>(values.size());
  write_safetensors(folder / "a", {{"x", DType::bf16, {count}, values.data()}});
  const SafetensorsFile file(folder / "a");
  const std::vector<float> read = file.floats("x");
  for (std::size_t i = 0; i < values.size(); ++i) ASSERT_EQ(read[i], to_float(values[i]));
  EXPECT_EQ(file.hash(file.at("x")), content_hash(values.data(), count, 2, 0));
}

TEST(safetensors, equal_content_gives_equal_bytes_in_any_order) {
  const test::TemporaryFolder folder;
  const float values[] = {1, 2, 3};
  const TensorToStore a{"a", DType::f32, {3}, values};
  const TensorToStore b{"b", DType::f32, {1}, values};
  write_safetensors(folder / "1", {a, b});
  write_safetensors(folder / "2", {b, a});
  EXPECT_EQ(read_file(folder / "1"), read_file(folder / "2"));
  EXPECT_THROW(write_safetensors(folder / "3", {a, a}), InternalError);
}

TEST(safetensors, a_missing_name_or_wrong_type_is_named) {
  const test::TemporaryFolder folder;
  const float value = 1;
  write_safetensors(folder / "a", {{"blocks.0.weight", DType::f32, {1}, &value}});
  const SafetensorsFile file(folder / "a");
  try {
    (void)file.floats("blocks.0.weigth");
    FAIL();
  } catch (const DataError& error) {
    EXPECT_NE(std::string(error.what()).find("'blocks.0.weight'"), std::string::npos);
  }
  EXPECT_THROW((void)file.integers("blocks.0.weight"), DataError);
}

// The files of the parity cases were written by the reference implementation.
TEST(safetensors, reads_the_reference_implementations_files) {
  const SafetensorsFile file(WAN_SOURCE_DIR "/tests/parity/cases/unipc_50/io.safetensors");
  EXPECT_EQ(file.at("trajectory").shape, (Shape{50, 1, 4, 3, 4, 4}));
  const std::vector<double> sigmas = file.doubles("sigmas");
  ASSERT_EQ(sigmas.size(), 51U);
  EXPECT_EQ(sigmas.back(), 0);
  EXPECT_GT(sigmas.front(), 0.99);
  const SafetensorsFile ids(WAN_SOURCE_DIR "/tests/parity/cases/umt5_small/io.safetensors");
  EXPECT_EQ(ids.integers("ids").size(), 120U);
}

}  // namespace
}  // namespace wan
