#include <gtest/gtest.h>

#include <atomic>
#include <vector>

#include "base/error.hpp"
#include "comm/agree.hpp"
#include "comm/communicator.hpp"
#include "comm/dry_run.hpp"
#include "comm/mesh.hpp"
#include "support/collective_properties.hpp"

namespace wan {
namespace {

TEST(communicator, every_collective_is_right_for_any_number_of_ranks) {
  for (int ranks = 1; ranks <= 7; ++ranks) {
    dry_run(ranks, [&](const Communicator& comm) {
      check_collectives(comm, static_cast<std::uint64_t>(ranks));
      check_groups(comm);
    });
  }
}

TEST(communicator, alone_needs_no_threads) {
  check_collectives(Communicator(), 3);
  check_groups(Communicator());
}

TEST(communicator, large_reductions_go_in_segments) {
  dry_run(3, [](const Communicator& comm) {
    // More than the scratch of one segment (16 MiB per peer), so that there are two.
    const std::int64_t count = 3 * ((std::int64_t{4} << 20) + 1000);
    std::vector<float> data(static_cast<std::size_t>(count), static_cast<float>(comm.rank() + 1));
    comm.all_reduce(Tensor(data.data(), DType::f32, {count}), Reduce::sum).wait();
    for (const float x : data) ASSERT_EQ(x, 6.0F);
  });
}

TEST(communicator, tensors_that_do_not_fit_are_refused) {
  const Communicator comm;
  float data[6] = {};
  const Tensor matrix(data, DType::f32, {2, 3});
  EXPECT_THROW(comm.all_reduce(matrix.col_range(0, 2), Reduce::sum), InternalError);
  EXPECT_THROW(comm.all_reduce(Tensor(data, DType::i32, {2}), Reduce::sum), InternalError);
  EXPECT_THROW(comm.all_gather(matrix, Tensor(data, DType::f32, {5})), InternalError);
  EXPECT_THROW(comm.broadcast(matrix, 1), InternalError);
  EXPECT_THROW(comm.exchange({{2, matrix}}, {}), InternalError);
}

TEST(dry_run, a_rank_that_throws_ends_all) {
  std::atomic<int> ended{0};
  try {
    dry_run(4, [&](const Communicator& comm) {
      try {
        if (comm.rank() == 2) throw DataError("x", "bad");
        (void)sum_over(comm, std::int64_t{1});
      } catch (const Error&) {
        ++ended;
        throw;
      }
    });
    FAIL() << "nothing was thrown";
  } catch (const DataError& error) {
    EXPECT_STREQ(error.what(), "x: bad");
  }
  EXPECT_EQ(ended, 4);
}

TEST(mesh, places_and_ranks_are_inverse_with_tp_fastest) {
  const MeshSizes sizes{2, 3, 2, 2};
  for (int rank = 0; rank < sizes.ranks(); ++rank) EXPECT_EQ(rank_of(place_of(rank, sizes), sizes), rank);
  EXPECT_EQ(place_of(1, sizes).tp, 1);
  EXPECT_EQ(place_of(2, sizes).cp, 1);
  EXPECT_EQ(place_of(6, sizes).dp, 1);
  EXPECT_EQ(place_of(12, sizes).pp, 1);
  dry_run(sizes.ranks(), [&](const Communicator& comm) {
    const Mesh mesh(comm, sizes);
    EXPECT_EQ(mesh.tp.rank(), mesh.place.tp);
    EXPECT_EQ(mesh.cp.rank(), mesh.place.cp);
    EXPECT_EQ(mesh.dp.rank(), mesh.place.dp);
    EXPECT_EQ(mesh.pp.rank(), mesh.place.pp);
    EXPECT_EQ(mesh.cp.size(), 3);
    // Ranks of my cp group differ in cp only: the sum of world ranks says so.
    const std::int64_t sum = sum_over(mesh.cp, std::int64_t{comm.rank()});
    std::int64_t expected = 0;
    for (int cp = 0; cp < 3; ++cp) {
      expected += rank_of({mesh.place.tp, cp, mesh.place.dp, mesh.place.pp}, sizes);
    }
    EXPECT_EQ(sum, expected);
  });
}

}  // namespace
}  // namespace wan
