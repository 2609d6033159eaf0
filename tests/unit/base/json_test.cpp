#include "base/json.hpp"

#include <gtest/gtest.h>

#include "base/error.hpp"

namespace wan {
namespace {

TEST(json, round_trip_keeps_order_and_doubles) {
  const std::string text = R"({"b":1,"a":[0.1,-3,true,null,"x\n"],"c":{"d":1e-300}})";
  EXPECT_EQ(Json::parse(text, "test").dump(), text);
}

TEST(json, refuses_what_is_malformed) {
  for (const std::string& text :
       std::vector<std::string>{"", "{", "{\"a\":1,\"a\":2}", "[1,]", "nul", std::string(100, '['), "1 2"}) {
    EXPECT_THROW((void)Json::parse(text, "file.json"), DataError) << text;
  }
}

TEST(json, wrong_types_and_missing_keys_are_data_errors) {
  const Json value = Json::parse(R"({"a":"text"})", "test");
  EXPECT_THROW((void)value.at("b"), Error);
  EXPECT_THROW((void)value.at("a").as_integer(), Error);
  EXPECT_EQ(value.find("b"), nullptr);
}

}  // namespace
}  // namespace wan
