#pragma once
#include <functional>
#include <string>
#include <vector>

#include "base/log.hpp"
#include "config/command_line.hpp"
#include "runtime/run_main.hpp"

namespace wan {

/// argv[1..].
[[nodiscard]] std::vector<std::string> arguments_of(int argc, char** argv);

/// Calls `parse`; true if it leads to `text`, which is then printed, or to an error, which is then reported,
/// once per job: `code` is what main returns. Needs no MPI, so that --help and wrong flags answer on any
/// machine.
[[nodiscard]] bool ends_before_start(const std::function<std::string()>& parse, int& code);

/// The shape of every main: flags, then the world, then the job. `parse` turns argv[1..] into an Invocation
/// of Options; `job` runs on every rank.
template <class Options>
[[nodiscard]] int run_program(
    int argc, char** argv, const std::function<Invocation<Options>(const std::vector<std::string>&)>& parse,
    const std::function<ExitCode(Runtime&, const Options&)>& job) {
  Invocation<Options> invocation;
  int code = 0;
  const auto read_flags = [&] {
    invocation = parse(arguments_of(argc, argv));
    return invocation.text;
  };
  if (ends_before_start(read_flags, code)) return code;
  return run_main([&](Runtime& runtime) {
    if (runtime.rank() == 0) {
      for (const std::string& notice : invocation.notices) log::info(notice);
    }
    return job(runtime, invocation.options);
  });
}

}  // namespace wan
