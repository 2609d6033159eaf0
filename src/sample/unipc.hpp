#pragma once
#include <vector>

#include "sample/solver.hpp"

namespace wan {

/// UniPC of order 2, variant bh2, predicting the clean sample (Zhao et al. 2023; Wan2.1 fm_solvers_unipc.py
/// with solver_order 2, lower_order_final). With alpha = 1 - sigma and lambda = ln alpha - ln sigma, every
/// update is a linear combination of the sample and of the last clean predictions m = x - sigma v, whose
/// coefficients depend on the grid alone; they are computed in fp64.
class UniPc : public Solver {
 public:
  UniPc(SigmaGrid grid, Device& device, std::int64_t elements);
  void step(std::int64_t i, const Tensor& velocity, const Tensor& sample) override;

 private:
  /// Coefficients of x, of the newest prediction, of the one before and (corrector) of the one before that.
  struct Update {
    double x = 0;
    double newest = 0;
    double previous = 0;
    double oldest = 0;
  };
  [[nodiscard]] Update predictor(std::size_t i) const;
  [[nodiscard]] Update corrector(std::size_t i) const;
  [[nodiscard]] std::size_t order(std::size_t i) const;
  [[nodiscard]] double lambda(std::size_t i) const;
  /// The clean prediction of step i.
  [[nodiscard]] const Tensor& clean(std::size_t i) const { return clean_[i % 3].view; }

  SigmaGrid grid_;
  Device& device_;
  DeviceTensor clean_[3];
  DeviceTensor corrected_;  ///< the sample before the last predictor
};

}  // namespace wan
