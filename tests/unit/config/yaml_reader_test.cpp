#include "config/yaml_reader.hpp"

#include <gtest/gtest.h>

#include <cstdlib>

#include "base/error.hpp"
#include "config/interpolation.hpp"
#include "unit/config/failure_of.hpp"

namespace wan {
namespace {

TEST(YamlReader, FlattensGroupsAndKeepsLines) {
  const std::vector<Setting> found =
      parse_yaml("a:\n  b: 1\n  c:\n    d: [x, 'y', [2, 3]]\ne: \"5\"\n", "run.yaml");
  ASSERT_EQ(found.size(), 3U);
  EXPECT_EQ(found[0].key, "a.b");
  EXPECT_EQ(found[0].where, "run.yaml:2");
  EXPECT_EQ(found[1].key, "a.c.d");
  EXPECT_EQ(show(found[1].value), "[x, \"y\", [2, 3]]");
  EXPECT_EQ(found[2].key, "e");
  EXPECT_TRUE(found[2].value.quoted);
  EXPECT_EQ(found[2].where, "run.yaml:5");
}

TEST(YamlReader, KeysAfterANestedGroupBelongToTheOuterOne) {
  const std::vector<Setting> found = parse_yaml("a:\n  b: {c: 1, d: {e: 2}}\n  f: 3\ng: 4\n", "run.yaml");
  std::string keys;
  for (const Setting& setting : found) keys += setting.key + " ";
  EXPECT_EQ(keys, "a.b.c a.b.d.e a.f g ");
}

TEST(YamlReader, AnEmptyFileSaysNothing) {
  EXPECT_TRUE(parse_yaml("", "run.yaml").empty());
  EXPECT_TRUE(parse_yaml("# only a comment\n", "run.yaml").empty());
  EXPECT_TRUE(parse_yaml("---\n...\n", "run.yaml").empty());
}

TEST(YamlReader, NumbersOfEveryWriting) {
  const auto value = [](const char* text) {
    return parse_yaml(std::string("a: ") + text, "run.yaml").at(0).value;
  };
  EXPECT_EQ(as_integer(value("-12")), -12);
  EXPECT_EQ(as_integer(value("+10_000")), 10000);
  EXPECT_FALSE(as_integer(value("1.0")));
  EXPECT_FALSE(as_integer(value("\"3\"")));
  EXPECT_FALSE(as_integer(value("99999999999999999999")));
  EXPECT_DOUBLE_EQ(*as_real(value("1e-5")), 1e-5);
  EXPECT_DOUBLE_EQ(*as_real(value("7")), 7);
  EXPECT_FALSE(as_real(value(".nan")));
  EXPECT_FALSE(as_real(value("inf")));
  EXPECT_FALSE(as_real(value("1e400")));
  EXPECT_EQ(as_bool(value("True")), true);
  EXPECT_EQ(as_bool(value("off")), false);
  EXPECT_FALSE(as_bool(value("'true'")));
  EXPECT_TRUE(is_null(value("~")));
  EXPECT_TRUE(is_null(value("")));
}

TEST(Interpolation, ReadsTheEnvironment) {
  setenv("WAN_TEST_FOLDER", "/scratch/${not expanded}", 1);
  unsetenv("WAN_TEST_MISSING");
  const auto resolve = [](const char* text, bool quoted = false) {
    return interpolate({text, quoted, false, {}}, "a.b", "run.yaml:1");
  };
  EXPECT_EQ(resolve("${oc.env:WAN_TEST_FOLDER}").text, "/scratch/${not expanded}");
  EXPECT_EQ(resolve("x/${oc.env:WAN_TEST_MISSING,y}/z").text, "x/y/z");
  EXPECT_EQ(resolve("${oc.env:WAN_TEST_MISSING,${oc.env:WAN_TEST_MISSING,deep}}").text, "deep");
  EXPECT_EQ(resolve("a\\${b}\\${").text, "a${b}${");
  EXPECT_TRUE(is_null(resolve("${oc.env:WAN_TEST_MISSING,null}")));
  EXPECT_TRUE(is_null(resolve("${oc.env:WAN_TEST_MISSING,null}", true)));
  EXPECT_TRUE(resolve("a${oc.env:WAN_TEST_MISSING,null}", true).quoted);
}

TEST(Interpolation, NamesWhatIsMissing) {
  unsetenv("WAN_TEST_MISSING");
  const auto failure = [](const std::string& text) {
    return failure_of<ConfigError>([&] { (void)interpolate({text, false, false, {}}, "a.b", "run.yaml:1"); });
  };
  EXPECT_TRUE(contains(failure("${oc.env:WAN_TEST_MISSING}"), "WAN_TEST_MISSING"));
  EXPECT_TRUE(contains(failure("${oc.env:WAN_TEST_MISSING}"), "run.yaml:1"));
  EXPECT_TRUE(contains(failure("${model.hidden_size}"), "oc.env"));
  EXPECT_TRUE(contains(failure("x${oc.env:HOME"), "'}'"));
  std::string deep = "x";
  for (int i = 0; i < 20; ++i) deep = "${oc.env:WAN_TEST_MISSING," + deep + "}";
  EXPECT_TRUE(contains(failure(deep), "deeper"));
}

}  // namespace
}  // namespace wan
