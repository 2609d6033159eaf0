#include "config/schema.hpp"

#include <gtest/gtest.h>

#include "base/error.hpp"
#include "config/choices.hpp"
#include "config/overrides.hpp"
#include "unit/config/failure_of.hpp"

namespace wan {
namespace {

struct Toy {
  bool flag = false;
  std::int64_t count = 3;
  double rate = 0.5;
  std::string name = "x";
  std::optional<std::int64_t> limit;
  std::vector<double> edges = {0.5};
  Storage storage = Storage::fp32;
};

class SchemaTest : public testing::Test {
 protected:
  SchemaTest() {
    schema.group("toy", "a toy");
    schema.add("flag", toy.flag, "a flag");
    schema.add("count", toy.count, within(1, 10), "things", "a count");
    schema.add("rate", toy.rate, above(0), "", "a rate");
    schema.add("name", toy.name, "a name");
    schema.add("limit", toy.limit, at_least(0), "", "a limit");
    schema.add("edges", toy.edges, within(0, 1), "", "edges");
    schema.add("storage", toy.storage, "storage");
    schema.alias("old.count", "toy.count");
    schema.ignore("toy.fusion", "no fusion");
    schema.ignore("gone.*", "gone");
    schema.unavailable("later.*", "later");
  }

  std::string complaint(const std::vector<std::string>& tokens) {
    Complaints complaints;
    schema.apply(parse_overrides(tokens), complaints, notices);
    return failure_of<ConfigError>([&] { complaints.throw_if_any(); });
  }

  Toy toy;
  Schema schema;
  std::vector<std::string> notices;
};

TEST_F(SchemaTest, FillsEveryType) {
  EXPECT_EQ(complaint({"toy.flag=true", "toy.count=7", "toy.rate=2", "toy.name=007", "toy.limit=4",
                       "toy.edges=[0.1, 0.9]", "toy.storage=bfloat16"}),
            "");
  EXPECT_TRUE(toy.flag);
  EXPECT_EQ(toy.count, 7);
  EXPECT_EQ(toy.rate, 2.0);
  EXPECT_EQ(toy.name, "007");
  EXPECT_EQ(toy.limit, 4);
  EXPECT_EQ(toy.edges, (std::vector<double>{0.1, 0.9}));
  EXPECT_EQ(toy.storage, Storage::bf16);
}

TEST_F(SchemaTest, WrongValuesNameKeyFoundAllowedAndPlaceAndLeaveTheMemberAlone) {
  const std::vector<std::pair<std::string, std::string>> wrong = {
      {"toy.flag=3", "true or false"},
      {"toy.count=0", "[1, 10]"},
      {"toy.count=2.5", "whole number"},
      {"toy.count='2'", "whole number"},
      {"toy.count=null", "whole number"},
      {"toy.rate=0", "> 0"},
      {"toy.rate=abc", "number"},
      {"toy.name=null", "a text"},
      {"toy.name=[a]", "a text"},
      {"toy.limit=-1", ">= 0"},
      {"toy.edges=0.5", "a list"},
      {"toy.edges=[0.5, 2]", "[0, 1]"},
      {"toy.storage=fp8", "one of: fp32, bf16"},
      {"toy.rate=1e999", "number"},
  };
  const std::string untouched = schema.dump();
  for (const auto& [token, allowed] : wrong) {
    const std::string message = complaint({token});
    EXPECT_TRUE(contains(message, token.substr(0, token.find('=')) + ": found ")) << message;
    EXPECT_TRUE(contains(message, allowed)) << message;
    EXPECT_TRUE(contains(message, "(command line)")) << message;
  }
  EXPECT_EQ(schema.dump(), untouched);
}

TEST_F(SchemaTest, UnknownKeysNameTheNearest) {
  EXPECT_TRUE(contains(complaint({"toy.cuont=1"}), "toy.count"));
  EXPECT_TRUE(contains(complaint({"+toy.new_key=1"}), "unknown key"));
  EXPECT_TRUE(contains(complaint({"toy=1"}), "the keys of this group"));
  EXPECT_EQ(complaint({"toy=null"}), "");
}

TEST_F(SchemaTest, AllComplaintsComeAtOnce) {
  const std::string message = complaint({"toy.count=99", "toy.nothing=1", "toy.rate=0"});
  EXPECT_TRUE(contains(message, "3 complaints"));
  EXPECT_EQ(count(message, "\n"), 3);
}

TEST_F(SchemaTest, ResetGoesBackToTheDefault) {
  EXPECT_EQ(
      complaint({"toy.count=7", "toy.limit=5", "toy.edges=[]", "~toy.count", "~toy.limit", "~toy.edges"}),
      "");
  EXPECT_EQ(toy.count, 3);
  EXPECT_FALSE(toy.limit);
  EXPECT_EQ(toy.edges, std::vector<double>{0.5});
}

TEST_F(SchemaTest, OtherSpellingsMustAgreeInOneLayerAndTheLaterLayerWins) {
  EXPECT_EQ(complaint({"old.count=4", "toy.count=4"}), "");
  EXPECT_TRUE(contains(complaint({"old.count=4", "toy.count=5"}), "must agree"));
  EXPECT_EQ(complaint({"toy.count=8"}), "");
  EXPECT_EQ(toy.count, 8);
  EXPECT_EQ(complaint({"old.count=9"}), "");
  EXPECT_EQ(toy.count, 9);
}

TEST_F(SchemaTest, MeaninglessKeysAreAcceptedWithOneLineEach) {
  EXPECT_EQ(complaint({"toy.fusion=true", "gone.a.b=[1]"}), "");
  ASSERT_EQ(notices.size(), 2U);
  EXPECT_TRUE(contains(notices[0], "toy.fusion") && contains(notices[0], "no fusion"));
  EXPECT_TRUE(contains(notices[1], "gone.a.b"));
}

TEST_F(SchemaTest, WhatDoesNotExistYetMayOnlyBeOff) {
  EXPECT_EQ(complaint({"later.a=null", "later.b=false", "later.c=0", "later.d=[]", "later=null"}), "");
  EXPECT_TRUE(contains(complaint({"later.a=8"}), "allowed: null, false or 0: later"));
}

TEST_F(SchemaTest, HelpNamesEveryKeyDefaultAndUnit) {
  const std::string help = schema.help();
  for (const char* part :
       {"toy.count", "[things]", "in [1, 10]", "old.count", "gone.*", "later.*", "one of: fp32, bf16"}) {
    EXPECT_TRUE(contains(help, part)) << part;
  }
}

}  // namespace
}  // namespace wan
