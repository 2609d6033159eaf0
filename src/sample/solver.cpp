#include "sample/solver.hpp"

#include "sample/euler.hpp"
#include "sample/unipc.hpp"

namespace wan {

std::unique_ptr<Solver> make_solver(SolverKind kind, const SigmaGrid& grid, Device& device,
                                    std::int64_t elements) {
  if (kind == SolverKind::euler) return std::make_unique<Euler>(grid, device);
  return std::make_unique<UniPc>(grid, device, elements);
}

}  // namespace wan
