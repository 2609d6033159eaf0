#include "device/cuda/requirements.hpp"

#include <gtest/gtest.h>

#include <functional>

#include "base/error.hpp"
#include "device/load_failure.hpp"
#include "device/out_of_memory.hpp"

// What the CUDA body asks of a machine, judged without one.
namespace wan::cuda {
namespace {

/// The complaint, which ends a program with 71; "" if there is none.
std::string complaint_of(const std::function<void()>& judge) {
  try {
    judge();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ExitCode::comm);
    return error.what();
  }
  return "";
}

void expect_says(const std::string& complaint, const std::vector<std::string>& parts) {
  for (const std::string& part : parts) EXPECT_NE(complaint.find(part), std::string::npos) << complaint;
}

TEST(gpu_requirements, a_driver_serves_its_own_major_version_and_older_ones) {
  for (const auto& [driver, runtime] : {std::pair{13000, 13000}, {12040, 12080}, {13000, 12040}}) {
    EXPECT_EQ(complaint_of([&, d = driver, r = runtime] { require_driver(d, r); }), "");
  }
  expect_says(complaint_of([] { require_driver(12080, 13010); }), {"supports CUDA 12.8", "needed is 13.0"});
  expect_says(complaint_of([] { require_driver(0, 12040); }), {"no NVIDIA driver", "CUDA 12.0"});
}

TEST(gpu_requirements, a_library_has_the_major_version_it_was_compiled_with) {
  EXPECT_EQ(complaint_of([] { require_library("cuDNN", "9.14", 9, 9); }), "");
  expect_says(complaint_of([] { require_library("cuDNN", "8.9", 8, 9); }), {"cuDNN 8.9", "needed is 9.x"});
}

TEST(gpu_requirements, ranks_of_a_machine_take_its_gpus_in_turn) {
  for (int place = 0; place < 9; ++place) EXPECT_EQ(require_gpu(4, place, ""), place % 4);
  for (int place = 0; place < 9; ++place) EXPECT_EQ(require_gpu(1, place, ""), 0) << "the one it is shown";
  expect_says(complaint_of([] { (void)require_gpu(0, 1, "no CUDA-capable device is detected"); }),
              {"no GPU was found: no CUDA-capable device is detected", "8.0 or later"});
}

TEST(gpu_requirements, kernels_exist_for_the_gpu) {
  const auto complaint = [](int major, int minor, const std::string& architectures) {
    return complaint_of([&] { require_capability("Some GPU", major, minor, architectures); });
  };
  for (const char* architectures : {"80", "80;90", "90;80", "80-real;90-real", "80-virtual"}) {
    EXPECT_EQ(complaint(8, 0, architectures), "") << architectures;
  }
  EXPECT_EQ(complaint(8, 9, "80-real"), "");
  EXPECT_EQ(complaint(10, 0, "90"), "");
  EXPECT_EQ(complaint(9, 0, "90a"), "");
  expect_says(complaint(7, 5, "75"), {"Some GPU has compute capability 7.5", "8.0 or later"});
  expect_says(complaint(8, 0, "90;100"),
              {"capability 8.0", "kernels for 90, 100", "a Kokkos that was built for 80"});
  for (const char* architectures : {"90-real", "90a", "103"}) {
    EXPECT_NE(complaint(10, 0, architectures), "") << architectures;
  }
}

TEST(gpu_requirements, the_gpu_has_memory_to_start_in) {
  constexpr std::int64_t mib = std::int64_t{1} << 20;
  constexpr std::int64_t total = std::int64_t{80} << 30;
  const auto complaint = [](std::optional<std::int64_t> free) {
    return complaint_of([&] { require_memory("Some GPU", free, total); });
  };
  EXPECT_EQ(complaint(total), "");
  EXPECT_EQ(complaint(512 * mib), "");
  expect_says(complaint(100 * mib), {"Some GPU is full: of 80.0 GiB 100.0 MiB are free",
                                     "needed are 512.0 MiB", "another program uses this GPU"});
  expect_says(complaint(std::nullopt), {"not even what a context takes", "needed are 512.0 MiB"});
  try {
    require_memory("Some GPU", std::nullopt, total);
    FAIL() << "it fits";
  } catch (const OutOfMemory& error) {
    ASSERT_TRUE(error.found) << "what a plan is held against";
    EXPECT_EQ(error.found->free, 0);
    EXPECT_EQ(error.found->total, total);
  }
}

TEST(load_failure, says_what_provides_the_missing_library) {
  const std::string tail = ": cannot open shared object file: No such file or directory";
  expect_says(load_failure("libours.so", "libcuda.so.1" + tail),
              {"libours.so", "libcuda.so.1", "NVIDIA driver"});
  expect_says(load_failure("libours.so", "libcudnn.so.9" + tail), {"libcudnn.so.9", "cuDNN 9"});
  expect_says(load_failure("libours.so", "libours.so: undefined symbol: f"),
              {"libours.so: undefined symbol: f"});
}

}  // namespace
}  // namespace wan::cuda
