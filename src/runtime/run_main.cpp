#include "runtime/run_main.hpp"

#include "base/log.hpp"

namespace wan {

int run_main(const std::function<ExitCode(Runtime&)>& body) {
  try {
    Runtime runtime;
    Outcome outcome;
    try {
      outcome.code = body(runtime);
    } catch (...) {
      outcome = outcome_of_exception();
    }
    return runtime.conclude(outcome);
  } catch (...) {
    const Outcome outcome = outcome_of_exception();
    log::error(outcome.message);
    log::flush();
    return static_cast<int>(outcome.code);
  }
}

}  // namespace wan
