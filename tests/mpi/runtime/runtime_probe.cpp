#include <signal.h>
#include <unistd.h>

#include <chrono>
#include <iostream>
#include <string>
#include <thread>

#include "base/error.hpp"
#include "base/file.hpp"
#include "base/text.hpp"
#include "comm/agree.hpp"
#include "runtime/run_folder.hpp"
#include "runtime/run_main.hpp"

namespace {

using namespace wan;

[[noreturn]] void hang() {
  for (;;) std::this_thread::sleep_for(std::chrono::seconds(1));
}

/// Steps until asked to stop, as a training loop would; says once that it runs.
ExitCode loop(Runtime& runtime, const std::string& folder_path) {
  LockOptions options;
  options.wait_s = 0.5;
  RunFolder folder(runtime, folder_path, {"runtime_probe", "loop"}, options);
  if (runtime.rank() == 0) std::cout << "running" << std::endl;
  for (;;) {
    const Requests requests = poll_requests(runtime, folder);
    if (requests.save && runtime.rank() == 0) std::cout << "save" << std::endl;
    if (requests.stop_by_file) return ExitCode::done;
    if (requests.stop()) return ExitCode::requeue;
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  }
}

ExitCode run(Runtime& runtime, const std::string& mode, const std::string& argument) {
  const Communicator& world = runtime.world();
  const bool last = runtime.rank() == runtime.size() - 1;
  if (mode == "good") return ExitCode::done;
  if (mode == "requeue") return ExitCode::requeue;
  if (mode == "all-fail") throw DataError("clip.mp4", "has no video stream");
  if (mode == "together")
    do_together(world, [&] {
      if (last) throw DataError("clip.mp4", "has no video stream");
    });
  if (mode == "one-fails") {
    if (last) throw DataError("clip.mp4", "has no video stream");
    (void)sum_over(world, std::int64_t{1});
  }
  if (mode == "two-fail") {
    if (runtime.rank() > 0) throw IoError("model.h5", 5, "cannot read");
    (void)sum_over(world, std::int64_t{1});
  }
  if (mode == "foreign") throw std::out_of_range("vector::_M_range_check");
  if (mode == "hang") {
    Watchdog::Watch watch(runtime.watchdog(), "forward", 1.0);
    if (last) hang();
    (void)sum_over(world, std::int64_t{1});
  }
  if (mode == "unwind") {
    std::vector<float> data(100000);
    Pending pending = world.all_reduce(Tensor(data.data(), DType::f32, {100000}), Reduce::sum);
    if (last) throw NumericError(7, "loss", "is NaN");
    pending.wait();
    pending = world.all_reduce(Tensor(data.data(), DType::f32, {100000}), Reduce::sum);
    pending.wait();
  }
  if (mode == "dangle") {
    // One rank starts what no other joins, and its buffer goes.
    std::vector<float> data(1 << 20);
    if (last) {
      const Pending pending = world.all_reduce(Tensor(data.data(), DType::f32, {1 << 20}), Reduce::sum);
      throw NumericError(7, "loss", "is NaN");
    }
    hang();
  }
  if (mode == "kill") {
    if (last) ::kill(::getpid(), SIGKILL);
    (void)sum_over(world, std::int64_t{1});
  }
  if (mode == "loop") return loop(runtime, argument);
  return ExitCode::done;
}

}  // namespace

int main(int argc, char** argv) {
  return wan::run_main([&](wan::Runtime& runtime) {
    return run(runtime, argc > 1 ? argv[1] : "good", argc > 2 ? argv[2] : "");
  });
}
