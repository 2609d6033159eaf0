#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <random>

#include "base/error.hpp"
#include "support/temporary_folder.hpp"
#include "weights/safetensors.hpp"

namespace wan {
namespace {

std::string with_length(std::uint64_t length, const std::string& rest) {
  std::string out;
  for (int i = 0; i < 8; ++i) out.push_back(static_cast<char>(length >> (8 * i)));
  return out + rest;
}

/// A file with this header and `data_bytes` of zeros.
std::string with_header(const std::string& header, std::size_t data_bytes) {
  return with_length(header.size(), header + std::string(data_bytes, '\0'));
}

class Hostile : public testing::Test {
 protected:
  /// Reads everything that the file says it holds.
  void read_all(const std::string& content) {
    std::filesystem::remove(folder_ /
                            "x");  // a file that is truncated and rewritten may be flushed to disk at once
    std::ofstream(folder_ / "x", std::ios::binary) << content;
    const SafetensorsFile file(folder_ / "x");
    for (const StoredTensor& tensor : file.tensors()) {
      std::vector<char> bytes(static_cast<std::size_t>(tensor.bytes));
      file.read_bytes(tensor, bytes.data());
      (void)file.hash(tensor);
    }
  }

  std::string valid() {
    std::vector<float> values(40, 1.5F);
    write_safetensors(folder_ / "valid",
                      {{"first", DType::f32, {2, 5}, values.data()},
                       {"second.weight", DType::bf16, {3, 4}, values.data()},
                       {"third", DType::i64, {7}, values.data()}},
                      {{"format", "pt"}});
    return read_file(folder_ / "valid");
  }

  test::TemporaryFolder folder_;
};

TEST_F(Hostile, every_truncation_is_refused) {
  const std::string whole = valid();
  read_all(whole);
  for (std::size_t length = 0; length < whole.size(); ++length) {
    EXPECT_THROW(read_all(whole.substr(0, length)), DataError) << length;
  }
  EXPECT_THROW(read_all(whole + "x"), DataError);
}

TEST_F(Hostile, every_flipped_bit_of_the_head_is_refused_or_harmless) {
  const std::string whole = valid();
  const std::size_t head =
      8 + static_cast<unsigned char>(whole[0]) + 256 * static_cast<unsigned char>(whole[1]);
  int refused = 0;
  for (std::size_t byte = 0; byte < head; ++byte) {
    for (int bit = 0; bit < 8; ++bit) {
      std::string damaged = whole;
      damaged[byte] = static_cast<char>(damaged[byte] ^ (1 << bit));
      try {
        read_all(damaged);  // a flip inside a name or in the metadata leaves a valid file
      } catch (const DataError&) {
        ++refused;
      }
    }
  }
  EXPECT_GT(refused, 1000);
}

TEST_F(Hostile, random_damage_never_escapes_as_anything_but_a_data_error) {
  std::mt19937 random(5);
  const std::string whole = valid();
  const std::string likely = "{}[]\",:0123456789-eE.nulltrue\\u";
  for (int repeat = 0; repeat < 3000; ++repeat) {
    std::string damaged = whole;
    for (std::size_t edits = 1 + random() % 6; edits > 0; --edits) {
      const std::size_t at = random() % damaged.size();
      switch (random() % 4) {
        case 0:
          damaged[at] = likely[random() % likely.size()];
          break;
        case 1:
          damaged[at] = static_cast<char>(random());
          break;
        case 2:
          damaged.erase(at, random() % 9);
          break;
        default:
          damaged.insert(at, damaged.substr(random() % damaged.size(), random() % 30));
      }
    }
    try {
      read_all(damaged);
    } catch (const DataError&) {
    }
  }
}

TEST_F(Hostile, announced_header_lengths_are_checked_before_they_are_believed) {
  for (const std::uint64_t length : {std::uint64_t{1}, std::uint64_t{100'000'000}, std::uint64_t{100'000'001},
                                     std::uint64_t{1} << 40, std::uint64_t{1} << 63, ~std::uint64_t{0}}) {
    EXPECT_THROW(read_all(with_length(length, "")), DataError) << length;
  }
  EXPECT_THROW(read_all(with_length(0, "")), DataError);
}

TEST_F(Hostile, headers_that_lie_are_refused) {
  struct Lie {
    const char* what;
    const char* header;
    std::size_t data;
  };
  const Lie lies[] = {
      {"no object", "[]", 0},
      {"leading space", " {}", 0},
      {"trailing text", "{} x", 0},
      {"tensor is no object", R"({"a":3})", 0},
      {"no dtype", R"({"a":{"shape":[1],"data_offsets":[0,4]}})", 4},
      {"no shape", R"({"a":{"dtype":"F32","data_offsets":[0,4]}})", 4},
      {"no offsets", R"({"a":{"dtype":"F32","shape":[1]}})", 4},
      {"unknown dtype", R"({"a":{"dtype":"F33","shape":[1],"data_offsets":[0,4]}})", 4},
      {"three offsets", R"({"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4,4]}})", 4},
      {"backward offsets", R"({"a":{"dtype":"F32","shape":[1],"data_offsets":[4,0]}})", 4},
      {"negative offset", R"({"a":{"dtype":"F32","shape":[1],"data_offsets":[-4,0]}})", 4},
      {"fraction", R"({"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4.5]}})", 4},
      {"past the end", R"({"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}})", 4},
      {"size disagrees", R"({"a":{"dtype":"F32","shape":[2],"data_offsets":[0,4]}})", 4},
      {"negative extent", R"({"a":{"dtype":"F32","shape":[-1,-1],"data_offsets":[0,4]}})", 4},
      {"too many axes", R"({"a":{"dtype":"F32","shape":[1,1,1,1,1,1,1],"data_offsets":[0,4]}})", 4},
      {"elements overflow", R"({"a":{"dtype":"U8","shape":[4294967296,4294967296],"data_offsets":[0,0]}})",
       0},
      {"bytes overflow", R"({"a":{"dtype":"F64","shape":[2305843009213693952],"data_offsets":[0,0]}})", 0},
      {"beyond int64", R"({"a":{"dtype":"U8","shape":[18446744073709551616],"data_offsets":[0,0]}})", 0},
      {"beyond double", R"({"a":{"dtype":"U8","shape":[1e999],"data_offsets":[0,0]}})", 0},
      {"hole",
       R"({"a":{"dtype":"U8","shape":[2],"data_offsets":[0,2]},"b":{"dtype":"U8","shape":[1],"data_offsets":[3,4]}})",
       4},
      {"overlap",
       R"({"a":{"dtype":"U8","shape":[3],"data_offsets":[0,3]},"b":{"dtype":"U8","shape":[2],"data_offsets":[2,4]}})",
       4},
      {"same bytes twice",
       R"({"a":{"dtype":"U8","shape":[4],"data_offsets":[0,4]},"b":{"dtype":"U8","shape":[4],"data_offsets":[0,4]}})",
       4},
      {"data unused", R"({"a":{"dtype":"U8","shape":[2],"data_offsets":[0,2]}})", 4},
      {"data without tensors", "{}", 4},
      {"same name twice",
       R"({"a":{"dtype":"U8","shape":[2],"data_offsets":[0,2]},"a":{"dtype":"U8","shape":[2],"data_offsets":[2,4]}})",
       4},
      {"metadata is no text", R"({"__metadata__":{"a":1}})", 0},
      {"metadata is no object", R"({"__metadata__":[]})", 0},
  };
  for (const Lie& lie : lies)
    EXPECT_THROW(read_all(with_header(lie.header, lie.data)), DataError) << lie.what;
  EXPECT_NO_THROW(read_all(with_header(R"({"a":{"dtype":"U8","shape":[4],"data_offsets":[0,4]}}   )", 4)));
  EXPECT_NO_THROW(read_all(with_header("{}", 0)));
  EXPECT_THROW(read_all(with_header(std::string("{\"a\":") + std::string(100000, '['), 0)), DataError);
}

TEST_F(Hostile, a_header_of_very_many_tensors_takes_no_quadratic_time) {
  std::string header = "{";
  for (int i = 0; i < 200000; ++i) {
    header +=
        (i == 0 ? "\"" : ",\"") + std::to_string(i) + R"(":{"dtype":"U8","shape":[0],"data_offsets":[0,0]})";
  }
  write_file_atomically(folder_ / "many", with_header(header + "}", 0));
  EXPECT_EQ(SafetensorsFile(folder_ / "many").tensors().size(), 200000U);
}

}  // namespace
}  // namespace wan
