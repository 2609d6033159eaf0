#pragma once
#include <functional>

#include "base/error.hpp"
#include "runtime/runtime.hpp"

namespace wan {

/// What main returns: opens the runtime, runs `body` on every rank and agrees on the exit code. An exception
/// on all ranks becomes one message naming rank, host and what was found; on some ranks only it becomes one
/// message and ends the others too. Never hangs on a failure, and mpirun or srun return the code.
[[nodiscard]] int run_main(const std::function<ExitCode(Runtime&)>& body);

}  // namespace wan
