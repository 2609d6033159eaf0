#include "base/text.hpp"

#include <gtest/gtest.h>

namespace wan {
namespace {

TEST(text, nearest_word) {
  EXPECT_EQ(nearest("globl_batch_size", {"micro_batch_size", "global_batch_size", "lr"}),
            "global_batch_size");
  EXPECT_EQ(nearest("x", {}), "");
}

TEST(text, split_and_join_are_inverse) {
  for (const char* text : {"", "a", "a,b", ",a,,b,"}) EXPECT_EQ(join(split(text, ','), ","), text);
  EXPECT_EQ(trim(" \t a b\n"), "a b");
  EXPECT_EQ(trim(" "), "");
}

TEST(text, bytes_for_people) {
  EXPECT_EQ(human_bytes(512), "512 B");
  EXPECT_EQ(human_bytes(3.25 * 1024 * 1024 * 1024), "3.2 GiB");
}

}  // namespace
}  // namespace wan
