#include "config/overrides.hpp"

#include <gtest/gtest.h>

#include "base/error.hpp"
#include "unit/config/failure_of.hpp"

namespace wan {
namespace {

Setting one(const std::string& token) {
  return parse_overrides({token}).at(0);
}

TEST(Overrides, SetAddForceAndReset) {
  for (const std::string prefix : {"", "+", "++"}) {
    const Setting setting = one(prefix + "a.b=5");
    EXPECT_EQ(setting.key, "a.b");
    EXPECT_EQ(as_integer(setting.value), 5);
    EXPECT_EQ(setting.where, "command line");
  }
  EXPECT_TRUE(one("~a.b").reset);
  EXPECT_TRUE(one("~a.b=5").reset);
  EXPECT_EQ(one("~a.b").key, "a.b");
}

TEST(Overrides, TypesAsHydraDoes) {
  EXPECT_DOUBLE_EQ(*as_real(one("a=1e-5").value), 1e-5);
  EXPECT_EQ(as_bool(one("a=True").value), true);
  EXPECT_TRUE(is_null(one("a=null").value));
  EXPECT_EQ(one("a=\"null\"").value.text, "null");
  EXPECT_FALSE(is_null(one("a='null'").value));
  EXPECT_FALSE(as_integer(one("a='5'").value));
  EXPECT_EQ(one("a='it\\'s \\\\ here'").value.text, "it's \\ here");
  EXPECT_EQ(one("a=/opt/x,y=z b").value.text, "/opt/x,y=z b");
  EXPECT_EQ(one("a=").value.text, "");
  EXPECT_FALSE(is_null(one("a=").value));
  EXPECT_EQ(show(one("a=[1, 'b, c', [d]]").value), "[1, \"b, c\", [d]]");
  EXPECT_TRUE(one("a=[]").value.items.empty());
  EXPECT_EQ(one("a=${oc.env:HOME,x}").value.text, "${oc.env:HOME,x}");
}

TEST(Overrides, RefusesWhatIsNone) {
  const std::string deep(100000, '[');
  for (const std::string token :
       {"", "a.b", "=5", "+", "~", "a=[1", "a='x", "a=\"x\"y", "a=[1;2", "a={b: 1}", "a=[1]]"}) {
    EXPECT_NE(failure_of<UsageError>([&] { (void)one(token); }), "") << token;
  }
  EXPECT_TRUE(contains(failure_of<UsageError>([&] { (void)one("a=" + deep); }), "deeper"));
}

}  // namespace
}  // namespace wan
