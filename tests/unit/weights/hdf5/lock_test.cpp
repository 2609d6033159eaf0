#include "weights/hdf5/lock.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <thread>
#include <vector>

namespace wan::hdf5 {
namespace {

TEST(Hdf5Lock, ExcludesAndRecurses) {
  std::atomic<int> inside{0};
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&] {
      for (int i = 0; i < 500; ++i) {
        const Lock outer;
        EXPECT_EQ(inside.fetch_add(1), 0);
        {
          const Lock inner;
          EXPECT_EQ(inside.load(), 1);
        }
        inside.fetch_sub(1);
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
}

TEST(Hdf5Lock, AGreedyThreadDoesNotStarveOthers) {
  std::atomic<bool> stop{false};
  std::atomic<int> greedy_turns{0};
  std::thread greedy([&] {
    while (!stop) {
      const Lock lock;
      ++greedy_turns;
    }
  });
  while (greedy_turns == 0) std::this_thread::yield();
  for (int i = 0; i < 100; ++i) {
    const Lock lock;
  }
  stop = true;
  greedy.join();
}

}  // namespace
}  // namespace wan::hdf5
