#pragma once
#include "runtime/runtime.hpp"

namespace wan::test {

/// The runtime of a multi-rank test program, opened by its main (mpi_main.cpp).
[[nodiscard]] Runtime& mpi_world();

}  // namespace wan::test
