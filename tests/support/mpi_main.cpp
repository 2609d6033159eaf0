#include <gtest/gtest.h>

#include <cstdio>

#include "base/text.hpp"
#include "runtime/run_main.hpp"
#include "support/mpi_world.hpp"

namespace wan::test {
namespace {

Runtime* world = nullptr;

/// Ranks other than 0 report only what fails, at once: their peers may be waiting for them.
class Failures : public ::testing::EmptyTestEventListener {
 public:
  explicit Failures(int rank) : rank_(rank) {}
  void OnTestPartResult(const ::testing::TestPartResult& result) override {
    if (!result.failed()) return;
    const char* file = result.file_name() == nullptr ? "" : result.file_name();
    const std::string text =
        cat("rank ", rank_, ": ", file, ":", result.line_number(), ": ", result.message(), "\n");
    std::fputs(text.c_str(), stderr);
  }

 private:
  int rank_;
};

/// A rank that leaves a test early leaves the others waiting: each test has this long.
constexpr double limit_s = 240;

class Watched : public ::testing::EmptyTestEventListener {
 public:
  explicit Watched(Runtime& runtime) : watch_(runtime.watchdog(), "start", limit_s) {}
  void OnTestStart(const ::testing::TestInfo& test) override {
    watch_.enter(cat(test.test_suite_name(), ".", test.name()));
  }

 private:
  Watchdog::Watch watch_;
};

}  // namespace

Runtime& mpi_world() {
  return *world;
}

}  // namespace wan::test

/// main of multi-rank GoogleTest programs: fails on every rank if a test failed on one.
int main(int argc, char** argv) {
  ::testing::InitGoogleTest(&argc, argv);
  return wan::run_main([&](wan::Runtime& runtime) {
    wan::test::world = &runtime;
    ::testing::TestEventListeners& listeners = ::testing::UnitTest::GetInstance()->listeners();
    if (runtime.rank() != 0) {
      delete listeners.Release(listeners.default_result_printer());
      listeners.Append(new wan::test::Failures(runtime.rank()));
    }
    auto* const watched = new wan::test::Watched(runtime);
    listeners.Append(watched);
    const int failed = RUN_ALL_TESTS();
    delete listeners.Release(watched);
    return failed == 0 ? wan::ExitCode::done : wan::ExitCode::internal;
  });
}
