#include <gtest/gtest.h>
#include <mpi.h>

#include <memory>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "base/file.hpp"
#include "base/hash.hpp"
#include "support/temporary_folder.hpp"
#include "weights/hdf5/file.hpp"

namespace wan::hdf5 {
namespace {

/// A folder that all ranks of one machine share, made and removed by rank 0.
class SharedFolder {
 public:
  SharedFolder() {
    MPI_Comm_rank(MPI_COMM_WORLD, &rank_);
    MPI_Comm_size(MPI_COMM_WORLD, &ranks_);
    if (rank_ == 0) folder_ = std::make_unique<test::TemporaryFolder>();
    std::string name = rank_ == 0 ? folder_->path() : std::string();
    name.resize(4096);
    MPI_Bcast(name.data(), 4096, MPI_CHAR, 0, MPI_COMM_WORLD);
    path_ = name.c_str();
  }
  ~SharedFolder() { MPI_Barrier(MPI_COMM_WORLD); }

  [[nodiscard]] std::string operator/(const std::string& name) const { return path_ + "/" + name; }
  [[nodiscard]] int rank() const { return rank_; }
  [[nodiscard]] int ranks() const { return ranks_; }

 private:
  std::unique_ptr<test::TemporaryFolder> folder_;
  std::string path_;
  int rank_ = 0;
  int ranks_ = 1;
};

constexpr std::int64_t rows = 37;
constexpr std::int64_t columns = 1001;

std::vector<float> row_of(std::int64_t row) {
  std::vector<float> values(columns);
  for (std::int64_t i = 0; i < columns; ++i)
    values[static_cast<std::size_t>(i)] = static_cast<float>(row * 7 + i);
  return values;
}

void create(const SharedFolder& folder, const std::string& path) {
  if (folder.rank() == 0) {
    File file = File::create(path);
    file.root().create_dataset("x", Type::f32, Shape{rows, columns});
    file.root().create_dataset("state", Type::u8, Shape{rows});
    file.close();
    reserve_space(path);
  }
  MPI_Barrier(MPI_COMM_WORLD);
}

TEST(ParallelHdf5, RowsOfAllRanksEndInOneFileWithEqualBytes) {
  const SharedFolder folder;
  const std::string path = folder / "shared.h5";
  create(folder, path);
  File file = File::open_parallel(path, MPI_COMM_WORLD, Access::write);
  {
    Dataset array = file.root().dataset("x");
    Dataset state = file.root().dataset("state");
    for (std::int64_t row = folder.rank(); row < rows; row += folder.ranks()) {
      array.write(row * columns, columns, row_of(row).data());
      const std::uint8_t done = 1;
      state.write(row, 1, &done);
    }
  }
  file.close();
  if (folder.rank() != 0) return;
  {
    File alone = File::create(folder / "alone.h5");
    Dataset array = alone.root().create_dataset("x", Type::f32, Shape{rows, columns});
    alone.root()
        .create_dataset("state", Type::u8, Shape{rows})
        .write(0, rows, std::string(rows, '\1').data());
    for (std::int64_t row = 0; row < rows; ++row) array.write(row * columns, columns, row_of(row).data());
  }
  EXPECT_EQ(to_hex(file_hash(path)), to_hex(file_hash(folder / "alone.h5")));
}

TEST(ParallelHdf5, AThreadReadsAnotherFileMeanwhile) {
  const SharedFolder folder;
  const std::string path = folder / "shared.h5";
  create(folder, path);
  const std::string own = folder / ("own" + std::to_string(folder.rank()));
  {
    File file = File::create(own);
    file.root().write_array("x", std::vector<float>(100000, 2.0F));
  }
  std::thread loader([&] {
    for (int i = 0; i < 50; ++i) {
      const auto values = File::open(own).root().read_array<float>("x");
      EXPECT_EQ(values.back(), 2.0F);
    }
  });
  for (int round = 0; round < 5; ++round) {
    File file = File::open_parallel(path, MPI_COMM_WORLD, Access::write);
    Dataset array = file.root().dataset("x");
    for (std::int64_t row = folder.rank(); row < rows; row += folder.ranks()) {
      array.write(row * columns, columns, row_of(row).data());
    }
  }
  loader.join();
}

TEST(ParallelHdf5, AnExceptionLetsGoWithoutWaitingForTheOthers) {
  const SharedFolder folder;
  const std::string path = folder / "shared.h5";
  create(folder, path);
  const int first = folder.ranks() - 1;
  try {
    const File file = File::open_parallel(path, MPI_COMM_WORLD, Access::write);
    if (folder.rank() == first) throw std::runtime_error("one rank gives up");
    // Comes only once the rank above has left its file behind.
    MPI_Barrier(MPI_COMM_WORLD);
    throw std::runtime_error("the others follow");
  } catch (const std::runtime_error&) {
  }
  if (folder.rank() == first) MPI_Barrier(MPI_COMM_WORLD);
}

}  // namespace
}  // namespace wan::hdf5
