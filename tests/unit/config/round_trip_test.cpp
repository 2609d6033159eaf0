#include <gtest/gtest.h>

#include <random>

#include "base/error.hpp"
#include "base/text.hpp"
#include "config/overrides.hpp"
#include "config/train_config_io.hpp"
#include "config/train_schema.hpp"
#include "config/yaml_reader.hpp"
#include "unit/config/failure_of.hpp"

namespace wan {
namespace {

// A value of some kind for a key of unknown type; most are refused, which leaves the key as it was.
std::string random_value(std::mt19937& random) {
  const std::string text_alphabet = "ab \"'\\:#,[]{}$~-=\t\n\x01\xc3\xa9";
  const auto number = [&] { return std::uniform_real_distribution<double>(-0.5, 1.5)(random); };
  switch (random() % 9) {
    case 0:
      return std::to_string(static_cast<int>(random() % 40) - 2);
    case 1:
      return real_text(number());
    case 2:
      return real_text(number() * 1e-7);
    case 3:
      return random() % 2 == 0 ? "true" : "false";
    case 4:
      return "null";
    case 5:
      return cat("[", real_text(number()), ",", real_text(number()), "]");
    case 6:
      return std::vector<std::string>{"bf16", "logit_normal", "mode", "constant", "linear"}[random() % 5];
    case 7:
      return std::vector<std::string>{
          "'true'", "'5'", "'null'", "''", "'~'", "'1e5'", "'- a'", "'a: b'"}[random() % 8];
    default: {
      std::string text;
      for (std::size_t length = random() % 12; length > 0; --length) {
        const char c = text_alphabet[random() % text_alphabet.size()];
        if (c == '\'' || c == '\\') text += '\\';
        text += c;
      }
      return "'" + text + "'";
    }
  }
}

std::vector<std::string> all_keys() {
  std::vector<std::string> keys;
  for (const Setting& setting : parse_yaml(dump_yaml(TrainConfig()), "defaults")) keys.push_back(setting.key);
  return keys;
}

TEST(RoundTrip, DumpedConfigurationsReadBackTheSame) {
  const std::vector<std::string> keys = all_keys();
  ASSERT_GT(keys.size(), 70U);
  std::mt19937 random(3);
  int changed = 0;
  for (int round = 0; round < 300; ++round) {
    TrainConfig config;
    Complaints complaints;
    std::vector<std::string> notices;
    Schema schema = train_schema(config);
    for (int i = 0; i < 60; ++i) {
      schema.apply(parse_overrides({keys[random() % keys.size()] + "=" + random_value(random)}), complaints,
                   notices);
    }
    const std::string dumped = dump_yaml(config);
    if (dumped != dump_yaml(TrainConfig())) ++changed;

    TrainConfig back;
    Complaints none;
    train_schema(back).apply(parse_yaml(dumped, "dumped"), none, notices);
    ASSERT_EQ(failure_of<ConfigError>([&] { none.throw_if_any(); }), "") << dumped;
    ASSERT_EQ(dump_yaml(back), dumped);
  }
  EXPECT_GT(changed, 290);
}

TEST(RoundTrip, WhatAVariableHeldIsNotExpandedAgain) {
  TrainConfig config;
  config.checkpoint.save = "\\${oc.env:HOME}/${x";
  TrainConfig back;
  Complaints complaints;
  std::vector<std::string> notices;
  train_schema(back).apply(parse_yaml(dump_yaml(config), "dumped"), complaints, notices);
  complaints.throw_if_any();
  EXPECT_EQ(back.checkpoint.save, config.checkpoint.save);
}

TEST(RoundTrip, EveryKeyIsInTheHelp) {
  const std::string help = train_config_help();
  for (const std::string& key : all_keys()) EXPECT_TRUE(contains(help, "  " + key + " ")) << key;
}

}  // namespace
}  // namespace wan
