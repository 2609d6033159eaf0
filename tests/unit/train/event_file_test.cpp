#include "train/event_file.hpp"

#include <gtest/gtest.h>

namespace wan {
namespace {

// RFC 3720, appendix B.4.
TEST(crc32c, known_answers) {
  EXPECT_EQ(crc32c(std::string(32, '\0')), 0x8a9136aaU);
  EXPECT_EQ(crc32c(std::string(32, '\xff')), 0x62a8ab43U);
  EXPECT_EQ(crc32c("123456789"), 0xe3069283U);
}

}  // namespace
}  // namespace wan
