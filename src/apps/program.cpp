#include "apps/program.hpp"

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <exception>

namespace wan {
namespace {

/// Launchers tell the rank in the environment long before MPI is up; without a launcher this is the only
/// process.
bool first_of_job() {
  for (const char* name : {"OMPI_COMM_WORLD_RANK", "PMIX_RANK", "PMI_RANK", "SLURM_PROCID"}) {
    const char* rank = std::getenv(name);
    if (rank != nullptr) return std::strcmp(rank, "0") == 0;
  }
  return true;
}

}  // namespace

std::vector<std::string> arguments_of(int argc, char** argv) {
  return {argv + 1, argv + argc};
}

bool ends_before_start(const std::function<std::string()>& parse, int& code) {
  try {
    const std::string text = parse();
    if (text.empty()) return false;
    if (first_of_job()) std::fputs(text.c_str(), stdout);
    code = static_cast<int>(ExitCode::done);
  } catch (const Error& error) {
    if (first_of_job()) log::error(error.what());
    code = static_cast<int>(error.code());
  } catch (const std::exception& error) {
    if (first_of_job()) log::error(error.what());
    code = static_cast<int>(ExitCode::internal);
  }
  return true;
}

}  // namespace wan
