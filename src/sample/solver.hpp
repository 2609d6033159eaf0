#pragma once
#include <cstdint>
#include <memory>

#include "device/device.hpp"
#include "sample/sigma_grid.hpp"

namespace wan {

/// Integrates dx/dsigma = v from sigma[0] to 0, one call a step, in order. All tensors are flat fp32 on the
/// device.
class Solver {
 public:
  virtual ~Solver() = default;
  /// Moves `sample` from sigma[i] to sigma[i + 1]; `velocity` is the network's output at (sample,
  /// timestep[i]).
  virtual void step(std::int64_t i, const Tensor& velocity, const Tensor& sample) = 0;
};

/// `elements`: size of the sample. The grid is copied; the device must outlive the solver.
[[nodiscard]] std::unique_ptr<Solver> make_solver(SolverKind kind, const SigmaGrid& grid, Device& device,
                                                  std::int64_t elements);

}  // namespace wan
