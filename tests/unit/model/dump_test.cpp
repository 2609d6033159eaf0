#include "model/dump.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <filesystem>
#include <fstream>

#include "base/error.hpp"
#include "base/file.hpp"
#include "model/dump_compare.hpp"
#include "support/temporary_folder.hpp"
#include "support/tensors.hpp"

namespace wan {
namespace {

using test::Owned;
using test::test_device;

/// Dumps a, a band b, and a again.
void write_three(const std::string& folder, DType dtype, float shift) {
  Dump dump(test_device(), folder);
  std::vector<float> a = {1, 2, 3, 4, 5, 6};
  a[4] += shift;
  dump.write("unit.a", Owned(test_device(), dtype, {2, 3}, a));
  dump.write("unit.b", Owned::band(test_device(), dtype, {2, 2}, {1, -1, 2, -2}, 1, 2));
  dump.write("unit.a", Owned(test_device(), dtype, {3}, {0, 0, shift}));
}

TEST(dump, files_are_npy_as_numpy_specifies_them) {
  const test::TemporaryFolder folder;
  write_three(folder / "d", DType::bf16, 0);
  const std::string bytes = read_file(folder / "d/unit.a.npy");
  EXPECT_EQ(bytes.substr(0, 8), std::string("\x93NUMPY\x01\x00", 8));
  const std::size_t header =
      static_cast<unsigned char>(bytes[8]) + 256U * static_cast<unsigned char>(bytes[9]);
  EXPECT_EQ((10 + header) % 64, 0U);
  EXPECT_EQ(bytes.size(), 10 + header + 6 * sizeof(float));
  EXPECT_EQ(bytes[10 + header - 1], '\n');
  EXPECT_NE(bytes.find("{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3, ), }"), std::string::npos);
  EXPECT_EQ(read_file(folder / "d/order.txt"), "unit.a\nunit.b\nunit.a.2\n");
}

TEST(dump, comparison_measures_and_names_what_differs) {
  const test::TemporaryFolder folder;
  write_three(folder / "a", DType::f32, 0);
  write_three(folder / "b", DType::f32, 0.5F);
  for (const DumpDifference& d : compare_dumps(folder / "a", folder / "a"))
    EXPECT_EQ(d.relative_l2, 0) << d.name;

  const std::vector<DumpDifference> found = compare_dumps(folder / "b", folder / "a");
  ASSERT_EQ(found.size(), 3U);
  EXPECT_EQ(found[0].name, "unit.a");
  EXPECT_FLOAT_EQ(static_cast<float>(found[0].max_abs), 0.5F);
  EXPECT_NEAR(found[0].relative_l2, 0.5 / std::sqrt(91.0), 1e-9);
  EXPECT_EQ(found[1].max_abs, 0);
  EXPECT_FALSE(found[2].relative_l2 <= 1);

  {
    Dump more(test_device(), folder / "c");
    more.write("unit.b", Owned(test_device(), DType::f32, {4}, {1, -1, 2, -2}));
  }
  const std::vector<DumpDifference> other = compare_dumps(folder / "c", folder / "a");
  ASSERT_EQ(other.size(), 3U);
  EXPECT_NE(other[0].mismatch, "") << "another shape";
  EXPECT_EQ(other[1].mismatch, "only in " + folder / "a");
}

TEST(dump, comparison_refuses_what_is_no_dump) {
  const test::TemporaryFolder folder;
  EXPECT_THROW((void)compare_dumps(folder.path(), folder.path()), NoInputError);
  write_three(folder / "a", DType::f32, 0);
  std::filesystem::resize_file(folder / "a/unit.b.npy", 131);
  EXPECT_THROW((void)compare_dumps(folder / "a", folder / "a"), DataError);
}

}  // namespace
}  // namespace wan
