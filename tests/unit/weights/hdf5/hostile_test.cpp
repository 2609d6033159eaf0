#include <gtest/gtest.h>
#include <hdf5.h>

#include <fstream>
#include <random>

#include "base/error.hpp"
#include "base/file.hpp"
#include "support/temporary_folder.hpp"
#include "weights/hdf5/file.hpp"

namespace wan::hdf5 {
namespace {

using test::TemporaryFolder;

std::string sample_bytes(const TemporaryFolder& scratch) {
  const std::string path = scratch / "good.h5";
  {
    File file = File::create(path);
    Group root = file.root();
    root.write_attribute("format_version", std::int64_t{1});
    root.write_array("x", std::vector<float>(3000, 1.5F));
    root.write_strings("names", {"one", "two", "three"});
    root.create_dataset("a/b/half", Type::bf16, Shape{4, 8}).write(0, 32, std::string(64, 'h').data());
  }
  return read_file(path);
}

/// Reads all that a file holds, as a reader that trusts nothing would.
void read_everything(const std::string& path) {
  const File file = File::open(path);
  const Group root = file.root();
  (void)root.members();
  (void)root.integer_attribute("format_version");
  (void)root.read_array<float>("x");
  (void)root.read_strings("names", 3);
  std::vector<std::uint16_t> half(32);
  const Dataset dataset = root.dataset("a/b/half");
  dataset.expect(Type::bf16, {4, 8});
  dataset.read(0, 32, half.data());
}

void write_raw(const std::string& path, const std::string& bytes) {
  std::ofstream(path, std::ios::binary | std::ios::trunc) << bytes;
}

TEST(HostileHdf5, CutFilesAreRefused) {
  const TemporaryFolder scratch;
  const std::string good = sample_bytes(scratch);
  std::mt19937 random(5);
  for (int round = 0; round < 100; ++round) {
    write_raw(scratch / "cut.h5", good.substr(0, random() % good.size()));
    EXPECT_THROW(read_everything(scratch / "cut.h5"), DataError) << round;
  }
}

TEST(HostileHdf5, FlippedBitsNeverCrash) {
  const TemporaryFolder scratch;
  const std::string good = sample_bytes(scratch);
  std::mt19937 random(6);
  int refused = 0;
  for (int round = 0; round < 500; ++round) {
    std::string bad = good;
    // Every other flip hits the metadata, which is most of the first and the last kilobytes.
    const std::size_t place = round % 2 == 0 ? random() % good.size() : random() % 2048;
    bad[place] = static_cast<char>(bad[place] ^ (1 << (random() % 8)));
    write_raw(scratch / "bad.h5", bad);
    try {
      read_everything(scratch / "bad.h5");
    } catch (const DataError&) {
      ++refused;
    }
  }
  EXPECT_GT(refused, 50);
}

TEST(HostileHdf5, OtherTypesAndSizesAreRefused) {
  const TemporaryFolder scratch;
  const std::string path = scratch / "a.h5";
  {
    File file = File::create(path);
    Group root = file.root();
    root.write_array("wide", std::vector<double>{1, 2});
    root.write_attribute("text", "seven");
    root.write_array("pool", std::vector<std::uint8_t>{1, 2, 3});
    root.write_array("pool_offset", std::vector<std::int64_t>{0, 5, 3});
    root.write_array("back", std::vector<std::uint8_t>{1, 2, 3});
    root.write_array("back_offset", std::vector<std::int64_t>{0, 2, 1, 3});
  }
  const Group root = File::open(path).root();
  EXPECT_THROW((void)root.read_array<float>("wide"), DataError);
  EXPECT_THROW((void)root.read_array<double>("wide", 3), DataError);
  EXPECT_THROW((void)root.read_array<double>("missing"), DataError);
  EXPECT_THROW((void)root.integer_attribute("text"), DataError);
  EXPECT_THROW((void)root.text_attribute("missing"), DataError);
  EXPECT_THROW((void)root.read_strings("pool"), DataError);
  EXPECT_THROW((void)root.read_strings("back"), DataError);
  EXPECT_THROW((void)root.group("wide"), DataError);
}

TEST(HostileHdf5, ChunkedAndForeignTypedArraysAreRefused) {
  const TemporaryFolder scratch;
  const std::string path = scratch / "a.h5";
  {
    const hid_t file = H5Fcreate(path.c_str(), H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT);
    const hsize_t extents[] = {hsize_t{1} << 50};
    const hsize_t chunk[] = {1024};
    const hid_t space = H5Screate_simple(1, extents, nullptr);
    const hid_t list = H5Pcreate(H5P_DATASET_CREATE);
    H5Pset_chunk(list, 1, chunk);
    H5Dclose(H5Dcreate2(file, "huge", H5T_IEEE_F32LE, space, H5P_DEFAULT, list, H5P_DEFAULT));
    const hsize_t few[] = {2};
    const hid_t small = H5Screate_simple(1, few, nullptr);
    H5Dclose(H5Dcreate2(file, "big_endian", H5T_IEEE_F32BE, small, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT));
    H5Sclose(small);
    H5Pclose(list);
    H5Sclose(space);
    H5Fclose(file);
  }
  const Group root = File::open(path).root();
  EXPECT_THROW((void)root.read_array<float>("huge"), DataError);
  EXPECT_THROW((void)root.read_array<float>("big_endian"), DataError);
}

}  // namespace
}  // namespace wan::hdf5
