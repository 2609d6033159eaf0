#include "checkpoint/manifest.hpp"

#include <gtest/gtest.h>

#include <chrono>
#include <random>
#include <string>
#include <vector>

#include "base/error.hpp"
#include "base/text.hpp"

namespace wan::checkpoint {
namespace {

Manifest example() {
  Manifest manifest;
  manifest.step = 12;
  manifest.files = {{"model.h5", 1000, {1, 2}}, {"state.json", 10, {3, 4}}};
  manifest.tensors = {{"/a/b",
                       DType::f32,
                       {3, 4},
                       {5, 6},
                       {{"model.h5", "/a/b", 100, 0, 5}, {"model.h5", "/a/b", 200, 5, 7}}},
                      {"/c", DType::bf16, {}, {7, 8}, {{"model.h5", "/c", 998, 0, 1}}},
                      {"/d", DType::bf16, {0, 4}, {0, 0}, {}}};
  return manifest;
}

/// `body` (all members, without the closing brace) with its right hash appended: as an attacker, or a bug,
/// would.
std::string sealed(const std::string& body) {
  return body + ",\n\"hash\": \"" + to_hex(bytes_hash(body)) + "\"\n}\n";
}

std::string body_of(const Manifest& manifest) {
  const std::string text = to_text(manifest);
  return text.substr(0, text.rfind(",\n\"hash\""));
}

std::string replaced(std::string text, const std::string& from, const std::string& to) {
  const std::size_t at = text.find(from);
  EXPECT_NE(at, std::string::npos) << from;
  return text.replace(at, from.size(), to);
}

TEST(manifest, comes_back_as_it_was) {
  const std::string text = to_text(example());
  const Manifest back = manifest_from_text(text, "m");
  EXPECT_EQ(to_text(back), text);
  EXPECT_EQ(back.tensors[0].ranges[1].offset, 200);
  EXPECT_EQ(back.tensors[0].hash, example().tensors[0].hash);
  EXPECT_EQ(manifest_from_text(sealed(body_of(example())), "m").step, 12);
}

TEST(manifest, any_changed_byte_is_found) {
  const std::string text = to_text(example());
  for (std::size_t i = 0; i < text.size(); ++i) {
    for (const int bit : {0, 3, 5, 7}) {
      std::string damaged = text;
      damaged[i] = static_cast<char>(damaged[i] ^ (1 << bit));
      EXPECT_THROW((void)manifest_from_text(damaged, "m"), DataError) << i << " " << bit;
    }
    EXPECT_THROW((void)manifest_from_text(text.substr(0, i), "m"), DataError) << i;
  }
  EXPECT_THROW((void)manifest_from_text(text + " ", "m"), DataError);
}

/// Well sealed but wrong: each breaks one rule, and says which.
TEST(manifest, hostile_content_is_refused_at_once_and_in_bounded_memory) {
  const std::string body = body_of(example());
  struct Case {
    const char* from;
    const char* to;
  };
  const Case cases[] = {
      {"\"format_version\": 1", "\"format_version\": 2"},
      {"\"format_version\": 1", "\"format_version\": 1.5"},
      {"\"step\": 12", "\"step\": -1"},
      {"\"step\": 12", "\"step\": 1e999"},
      {"\"step\": 12", "\"step\": 99999999999999999999"},
      {"\"step\": 12", "\"step\": NaN"},
      {"\"step\": 12", "\"step\": 12, \"step\": 12"},
      {"\"files\": [", "\"files\": [7,"},
      {"\"name\":\"model.h5\"", "\"name\":\"../model.h5\""},
      {"\"name\":\"model.h5\"", "\"name\":\"/etc/passwd\""},
      {"\"name\":\"model.h5\"", "\"name\":\"..\""},
      {"\"name\":\"model.h5\"", "\"name\":\"\""},
      {"\"name\":\"model.h5\"", "\"name\":\"state.json\""},
      {"\"bytes\":1000", "\"bytes\":-1"},
      {"\"bytes\":1000", "\"bytes\":\"1000\""},
      {"\"path\":\"/a/b\"", "\"path\":\"/c\""},
      {"\"path\":\"/a/b\"", "\"path\":\"a\""},
      {"\"path\":\"/a/b\"", "\"path\":null"},
      {"\"dtype\":\"fp32\"", "\"dtype\":\"fp64\""},
      {"\"dtype\":\"fp32\"", "\"dtype\":\"\""},
      {"\"shape\":[3,4]", "\"shape\":[3,-4]"},
      {"\"shape\":[3,4]", "\"shape\":[1000000000,1000000000,1000000000]"},
      {"\"shape\":[3,4]", "\"shape\":[9223372036854775807,2]"},
      {"\"shape\":[3,4]", "\"shape\":[1,1,1,1,1,1,12]"},
      {"\"shape\":[3,4]", "\"shape\":[12.5]"},
      {"\"shape\":[3,4]", "\"shape\":{}"},
      {"\"shape\":[3,4]", "\"shape\":[13]"},
      {"\"shape\":[3,4]", "\"shape\":[11]"},
      {"\"offset\":100", "\"offset\":-8"},
      {"\"offset\":100", "\"offset\":9223372036854775800"},
      {"\"offset\":100", "\"offset\":985"},
      {"\"offset\":100", "\"offset\":190"},
      {"\"offset\":100,\"first\":0,\"count\":5", "\"offset\":100,\"first\":1,\"count\":4"},
      {"\"count\":5", "\"count\":-5"},
      {"\"count\":5", "\"count\":0"},
      {"\"count\":7", "\"count\":9223372036854775807"},
      {"\"file\":\"model.h5\",\"dataset\":\"/a/b\"", "\"file\":\"optim.h5\",\"dataset\":\"/a/b\""},
      {"\"hash\":\"0000000000000006", "\"hash\":\"000000000000000G"},
      {"\"hash\":\"0000000000000006", "\"hash\":\"06"},
  };
  for (const Case& each : cases) {
    SCOPED_TRACE(cat(each.from, " -> ", each.to));
    EXPECT_THROW((void)manifest_from_text(sealed(replaced(body, each.from, each.to)), "m"), DataError);
  }
  const std::string deep(2'000'000, '[');
  const std::string texts[] = {
      "",
      "{",
      "null",
      sealed(""),
      sealed("{"),
      sealed("[]"),
      sealed("{}"),
      sealed(deep),
      sealed("{\"a\": " + deep),
      sealed("{\"format_version\": 1"),
      sealed(std::string(1'000'000, '\0')),
      sealed("{\"step\": \"\xff\xfe\""),
  };
  for (const std::string& text : texts) EXPECT_THROW((void)manifest_from_text(text, "m"), DataError);
}

TEST(manifest, random_garbage_never_does_worse_than_an_error) {
  const auto begin = std::chrono::steady_clock::now();
  std::mt19937_64 random(5);
  const std::string body = body_of(example());
  int refused = 0;
  for (int round = 0; round < 3000; ++round) {
    std::string damaged = body;
    for (std::uint64_t edits = random() % 4; edits < 4; ++edits) {
      const std::size_t at = random() % damaged.size();
      switch (random() % 3) {
        case 0:
          damaged[at] = static_cast<char>(random() % 256);
          break;
        case 1:
          damaged.erase(at, 1 + random() % 8);
          break;
        default:
          damaged.insert(at, body.substr(random() % body.size(), random() % 20));
      }
    }
    try {
      (void)manifest_from_text(sealed(damaged), "m");
    } catch (const DataError&) {
      ++refused;
    }
  }
  EXPECT_GT(refused, 2000);
  EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds(20));
}

}  // namespace
}  // namespace wan::checkpoint
