#pragma once
#include "sample/solver.hpp"

namespace wan {

/// x += (sigma[i + 1] - sigma[i]) v (diffusers scheduling_flow_match_euler_discrete.py).
class Euler : public Solver {
 public:
  Euler(SigmaGrid grid, Device& device) : grid_(std::move(grid)), device_(device) {}
  void step(std::int64_t i, const Tensor& velocity, const Tensor& sample) override;

 private:
  SigmaGrid grid_;
  Device& device_;
};

}  // namespace wan
