#include "device/ops/ref/ref_ops.hpp"

namespace wan {

void RefOps::run(const ResidualNormForward& a) {
  run(a.residual);
  run(a.norm);
}

void RefOps::run(const ResidualNormBackward& a) {
  run(a.norm);
  run(a.residual);
}

}  // namespace wan
