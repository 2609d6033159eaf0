#include <iostream>
#include <string>

#include "base/error.hpp"
#include "base/text.hpp"
#include "checkpoint/async_saver.hpp"
#include "checkpoint/checkpoint.hpp"
#include "checkpoint/names.hpp"
#include "runtime/run_folder.hpp"
#include "runtime/run_main.hpp"
#include "support/checkpoint_properties.hpp"

namespace {

using namespace wan;

/// A training job that does nothing but save: continues where the folder stands, checks what it loads, and
/// says on standard output what is committed. Runs until it is killed.
ExitCode save_forever(Runtime& runtime, const std::string& run) {
  const Communicator& world = runtime.world();
  const RunFolder folder(runtime, run, {"checkpoint_probe", run});
  do_together(world, [&] {
    if (runtime.rank() == 0) checkpoint::remove_leftovers(run);
  });
  const test::FakeRun fake(1, 40);
  std::int64_t step = 0;
  if (const auto loaded = checkpoint::open_newest(world, run)) {
    do_together(world, [&] {
      if (!fake.equal(*loaded)) throw DataError(loaded->folder(), "holds other values than were saved");
    });
    step = loaded->step();
  }
  checkpoint::AsyncSaver saver(world, run, {3, 0}, runtime.watchdog(), 60);
  for (;;) {
    ++step;
    saver.start(fake.snapshot(step, static_cast<std::uint64_t>(step), runtime.rank(), runtime.size()));
    const auto report = saver.wait();
    if (!report || !report->outcome.good())
      throw IoError(run, 0, report ? report->outcome.message : "no report");
    if (runtime.rank() == 0) std::cout << "committed " << step << std::endl;
  }
}

}  // namespace

int main(int argc, char** argv) {
  return wan::run_main([&](wan::Runtime& runtime) {
    if (argc != 2) throw wan::UsageError("checkpoint_probe RUN_FOLDER");
    return save_forever(runtime, argv[1]);
  });
}
