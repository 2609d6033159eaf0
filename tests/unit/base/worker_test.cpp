#include "base/worker.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <future>
#include <stdexcept>
#include <vector>

namespace wan {
namespace {

TEST(Worker, RunsAllJobsInOrderOnAThreadOfItsOwn) {
  std::vector<int> order;
  std::thread::id thread;
  Worker worker(2);
  for (int i = 0; i < 100; ++i) {
    worker.add([&, i] {
      order.push_back(i);
      thread = std::this_thread::get_id();
    });
  }
  worker.finish();
  ASSERT_EQ(order.size(), 100U);
  for (int i = 0; i < 100; ++i) EXPECT_EQ(order[static_cast<std::size_t>(i)], i);
  EXPECT_NE(thread, std::this_thread::get_id());
  worker.add([&] { order.clear(); });
  worker.finish();
  EXPECT_TRUE(order.empty());
}

TEST(Worker, HoldsBackWhoAddsFasterThanItRuns) {
  std::promise<void> go;
  std::shared_future<void> gone(go.get_future());
  std::atomic<int> added{0};
  Worker worker(2);
  std::thread adding([&] {
    for (int i = 0; i < 10; ++i) {
      worker.add([gone] { gone.wait(); });
      ++added;
    }
  });
  std::this_thread::sleep_for(std::chrono::milliseconds(50));
  EXPECT_LE(added, 3);  // one that runs and two that wait
  go.set_value();
  adding.join();
  worker.finish();
  EXPECT_EQ(added, 10);
}

TEST(Worker, WhatAJobThrowsComesOutAndEndsTheRest) {
  std::atomic<int> run{0};
  Worker worker(8);
  worker.add([&] { ++run; });
  worker.add([] { throw std::runtime_error("full"); });
  EXPECT_THROW(worker.finish(), std::runtime_error);
  EXPECT_THROW(worker.add([&] { ++run; }), std::runtime_error);
  EXPECT_THROW(worker.finish(), std::runtime_error);
  EXPECT_EQ(run, 1);
}

TEST(Worker, DroppingItDropsWhatWaits) {
  std::promise<void> go;
  std::atomic<int> run{0};
  std::thread later;
  {
    Worker worker(8);
    std::promise<void> begun;
    worker.add([&] {
      begun.set_value();
      go.get_future().wait();
      ++run;
    });
    begun.get_future().wait();
    worker.add([&] { ++run; });
    later = std::thread([&] {
      std::this_thread::sleep_for(std::chrono::milliseconds(30));
      go.set_value();
    });
  }
  later.join();
  EXPECT_EQ(run, 1);
}

}  // namespace
}  // namespace wan
