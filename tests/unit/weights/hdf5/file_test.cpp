#include "weights/hdf5/file.hpp"

#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <cstring>
#include <numeric>
#include <random>
#include <thread>

#include "base/error.hpp"
#include "base/file.hpp"
#include "base/hash.hpp"
#include "support/temporary_folder.hpp"

namespace wan::hdf5 {
namespace {

using test::TemporaryFolder;

void write_sample(const std::string& path) {
  File file = File::create(path);
  {
    Group root = file.root();
    root.write_attribute("format", "sample");
    root.write_attribute("format_version", std::int64_t{3});
    root.write_attribute("rate", 23.976);
    root.write_attribute("empty", "");
    root.write_array("a/b/integers", std::vector<std::int64_t>{-1, 0, 1});
    root.write_array("ids", std::vector<std::uint64_t>{~std::uint64_t{0}});
    root.write_array("none", std::vector<float>{});
    root.write_strings("captions", {"", "ein Käfer", "two\nlines"});
    root.create_group("room");
  }
  file.close();
}

TEST(Hdf5File, KeepsWhatWasWritten) {
  const TemporaryFolder scratch;
  write_sample(scratch / "a.h5");
  const File file = File::open(scratch / "a.h5");
  const Group root = file.root();
  EXPECT_EQ(root.text_attribute("format"), "sample");
  EXPECT_EQ(root.text_attribute("empty"), "");
  EXPECT_EQ(root.integer_attribute("format_version"), 3);
  EXPECT_EQ(root.number_attribute("rate"), 23.976);
  EXPECT_EQ(root.group("a").group("b").read_array<std::int64_t>("integers"),
            (std::vector<std::int64_t>{-1, 0, 1}));
  EXPECT_EQ(root.read_array<std::uint64_t>("ids", 1).front(), ~std::uint64_t{0});
  EXPECT_TRUE(root.read_array<float>("none").empty());
  EXPECT_EQ(root.read_strings("captions"), (std::vector<std::string>{"", "ein Käfer", "two\nlines"}));
  EXPECT_EQ(root.members(),
            (std::vector<std::string>{"a", "captions", "captions_offset", "ids", "none", "room"}));
  EXPECT_TRUE(root.has("a/b/integers"));
  EXPECT_FALSE(root.has("a/c/integers"));
  EXPECT_TRUE(root.group("room").members().empty());
}

TEST(Hdf5File, EqualContentIsEqualBytes) {
  const TemporaryFolder scratch;
  write_sample(scratch / "a.h5");
  // Longer than the second in which HDF5 counts its object times.
  std::this_thread::sleep_for(std::chrono::milliseconds(1100));
  write_sample(scratch / "b.h5");
  EXPECT_EQ(file_hash(scratch / "a.h5"), file_hash(scratch / "b.h5"));
}

TEST(Hdf5File, SixteenBitFloatsKeepTheirBits) {
  const TemporaryFolder scratch;
  std::vector<std::uint16_t> bits(65536);
  std::iota(bits.begin(), bits.end(), std::uint16_t{0});
  {
    File file = File::create(scratch / "a.h5");
    Group root = file.root();
    for (const Type type : {Type::bf16, Type::f16}) {
      root.create_dataset(name_of(type), type, Shape{256, 256}).write(0, 65536, bits.data());
    }
  }
  const File file = File::open(scratch / "a.h5");
  for (const Type type : {Type::bf16, Type::f16}) {
    const Dataset dataset = file.root().dataset(name_of(type));
    EXPECT_EQ(dataset.type(), type);
    std::vector<std::uint16_t> back(65536);
    dataset.read(0, 65536, back.data());
    EXPECT_EQ(back, bits);
  }
}

TEST(Hdf5File, RangesAndBoxesMeetInOneArray) {
  const TemporaryFolder scratch;
  std::mt19937 random(3);
  const Shape shape{7, 5, 6};
  std::vector<float> model(210, 0.0F);
  File file = File::create(scratch / "a.h5");
  Dataset dataset = file.root().create_dataset("x", Type::f32, shape);
  float value = 1;
  for (int round = 0; round < 200; ++round) {
    const auto first = static_cast<std::int64_t>(random() % 211);
    const auto count = static_cast<std::int64_t>(random() % static_cast<unsigned>(211 - first));
    std::vector<float> part(static_cast<std::size_t>(count));
    for (float& element : part) element = value++;
    dataset.write(first, count, part.data());
    std::copy(part.begin(), part.end(), model.begin() + first);
  }
  std::vector<float> back(210);
  dataset.read(0, 210, back.data());
  EXPECT_EQ(back, model);
  std::vector<float> box(2 * 3 * 4);
  dataset.read_box(Shape{5, 1, 2}, Shape{2, 3, 4}, box.data());
  for (int i = 0; i < 24; ++i) {
    EXPECT_EQ(box[static_cast<std::size_t>(i)],
              model[static_cast<std::size_t>((5 + i / 12) * 30 + (1 + i / 4 % 3) * 6 + 2 + i % 4)]);
  }
  EXPECT_THROW(dataset.read(200, 11, back.data()), DataError);
  EXPECT_THROW(dataset.read(-1, 2, back.data()), DataError);
  EXPECT_THROW(dataset.read_box(Shape{6, 0, 0}, Shape{2, 1, 1}, box.data()), DataError);
}

TEST(Hdf5File, LargeTransfersCrossSlabs) {
  const TemporaryFolder scratch;
  std::vector<std::int32_t> values(5'000'001);
  std::iota(values.begin(), values.end(), 0);
  const auto count = static_cast<std::int64_t>(values.size());
  File file = File::create(scratch / "a.h5");
  Dataset dataset = file.root().create_dataset("x", Type::i32, Shape{count});
  dataset.write(0, count, values.data());
  std::vector<std::int32_t> back(values.size());
  dataset.read(0, count, back.data());
  EXPECT_EQ(back, values);
}

TEST(Hdf5File, UnwrittenPartsAreZeroAndSpaceIsReserved) {
  const TemporaryFolder scratch;
  {
    File file = File::create(scratch / "a.h5");
    file.root().create_dataset("x", Type::f32, Shape{1000});
    file.close();
  }
  reserve_space(scratch / "a.h5");
  std::vector<float> values(1000, 1.0F);
  File::open(scratch / "a.h5").root().dataset("x").read(0, 1000, values.data());
  EXPECT_EQ(values, std::vector<float>(1000, 0.0F));
}

TEST(Hdf5File, WritesSurviveAKill) {
  const TemporaryFolder scratch;
  const std::string path = scratch / "a.h5";
  {
    File file = File::create(path);
    file.root().create_dataset("x", Type::i64, Shape{100});
    file.root().create_dataset("state", Type::u8, Shape{100});
  }
  const pid_t child = ::fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    File file = File::open(path, Access::write);
    Dataset numbers = file.root().dataset("x");
    Dataset states = file.root().dataset("state");
    const std::int64_t value = 77;
    const std::uint8_t done = 1;
    numbers.write(41, 1, &value);
    states.write(41, 1, &done);
    ::kill(::getpid(), SIGKILL);
  }
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  ASSERT_TRUE(WIFSIGNALED(status));
  const File file = File::open(path);
  EXPECT_EQ(file.root().read_array<std::int64_t>("x")[41], 77);
  EXPECT_EQ(file.root().read_array<std::uint8_t>("state")[41], 1);
}

TEST(Hdf5File, CloseFindsPartsInUse) {
  const TemporaryFolder scratch;
  File file = File::create(scratch / "a.h5");
  const Group root = file.root();
  EXPECT_THROW(file.close(), InternalError);
}

TEST(Hdf5File, SaysWhyItCannotOpenOrCreate) {
  const TemporaryFolder scratch;
  EXPECT_THROW((void)File::open(scratch / "none.h5"), NoInputError);
  EXPECT_THROW((void)File::open(scratch.path()), NoInputError);
  EXPECT_THROW((void)File::create(scratch / "none/a.h5"), CreateError);
  write_file_atomically(scratch / "text.h5", "this is a text");
  EXPECT_THROW((void)File::open(scratch / "text.h5"), DataError);
}

}  // namespace
}  // namespace wan::hdf5
