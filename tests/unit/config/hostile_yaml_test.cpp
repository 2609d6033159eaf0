#include <gtest/gtest.h>

#include <chrono>
#include <random>

#include "base/error.hpp"
#include "config/yaml_reader.hpp"
#include "unit/config/failure_of.hpp"

namespace wan {
namespace {

// Each must be refused by name; the second part is what the message has to say.
struct Hostile {
  std::string text;
  std::string says;
};

std::string repeated(const std::string& part, int times) {
  std::string out;
  for (int i = 0; i < times; ++i) out += part;
  return out;
}

// A mapping inside a mapping, `depth` times.
std::string nested(int depth) {
  std::string out;
  for (int i = 0; i < depth; ++i) out += std::string(static_cast<std::size_t>(i) + 1, ' ') + "a:\n";
  return out;
}

std::vector<Hostile> corpus() {
  return {
      {"a: &x [1, 2]\nb: 3\n", "anchor"},
      {"a: 1\nb: *a\n", "hostile.yaml:2"},
      {"a: &a [x, x]\nb: &b [*a, *a, *a, *a]\nc: &c [*b, *b, *b, *b]\n", "anchor"},
      {"a:\n  <<: {b: 1}\n", "<<"},
      {"a: !!python/object/apply:os.system ['true']\n", "tag"},
      {"a: 1\n---\nb: 2\n", "second document"},
      {"a: 1\na: 2\n", "line 1"},
      {"a:\n  b: 1\nc: 1\na.b: 2\n", "line 2"},
      {"[1, 2]\n", "list"},
      {"just text\n", "plain value"},
      {"a: [ {b: 1} ]\n", "mapping inside a list"},
      {"? [1, 2]\n: 3\n", "key"},
      {"? {a: b}\n: 3\n", "key"},
      {"a: [1, 2\n", "hostile.yaml:1"},
      {"a:\n\t- b\n", "not valid YAML"},
      {"a: \"never closed\n", "not valid YAML"},
      {"a: 'never closed\nb: 3\n\n", "not valid YAML"},
      {repeated("[", 100000), "hostile.yaml"},
      {"a: " + repeated("{a: ", 20000), "hostile.yaml"},
      {"a:\n" + nested(40), "deeper"},
      {repeated("- ", 50000), "hostile.yaml"},
      {"a: [" + repeated("1, ", 100000) + "1]", "more than"},
      {"a: " + repeated("x", 2 << 20), "bytes"},
      {repeated("k", 1000) + ": 1\n", "key"},
  };
}

TEST(HostileYaml, IsRefusedByName) {
  for (const Hostile& hostile : corpus()) {
    const std::string message =
        failure_of<ConfigError>([&] { (void)parse_yaml(hostile.text, "hostile.yaml"); });
    EXPECT_TRUE(contains(message, hostile.says)) << hostile.text.substr(0, 60) << "\ngave: " << message;
    EXPECT_LT(message.size(), 500U);
  }
}

TEST(HostileYaml, IsRefusedQuickly) {
  const auto begin = std::chrono::steady_clock::now();
  for (const Hostile& hostile : corpus()) {
    (void)failure_of<ConfigError>([&] { (void)parse_yaml(hostile.text, "hostile.yaml"); });
  }
  const std::chrono::duration<double> spent = std::chrono::steady_clock::now() - begin;
  EXPECT_LT(spent.count(), 20.0);  // seconds for all; a second under an optimised build
}

// Whatever bytes come, the reader answers with settings or with ConfigError and with nothing else.
TEST(HostileYaml, RandomBytesNeverEscape) {
  std::mt19937 random(20240917);
  const std::string alphabet = "ab:- \n\t[]{},&*!|>'\"%@`?#~.01\\\r\xc3\xa9";
  for (int round = 0; round < 3000; ++round) {
    std::string text;
    for (std::size_t length = random() % 60; length > 0; --length)
      text += alphabet[random() % alphabet.size()];
    try {
      (void)parse_yaml(text, "random.yaml");
    } catch (const ConfigError&) {
    }
  }
}

}  // namespace
}  // namespace wan
