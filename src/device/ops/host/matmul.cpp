#include "device/ops/host/matmul.hpp"

#include <dnnl.h>
#include <dnnl_debug.h>

#include "base/error.hpp"
#include "base/text.hpp"

namespace wan::host {

void matmul(std::int64_t rows, std::int64_t cols, std::int64_t inner, float alpha, const Operand& a,
            const Operand& b, float beta, float* c, std::int64_t c_stride) {
  if (rows == 0 || cols == 0) return;
  if (inner == 0) {
    for (std::int64_t i = 0; i < rows; ++i) {
      for (std::int64_t j = 0; j < cols; ++j)
        c[i * c_stride + j] = beta == 0 ? 0.0F : beta * c[i * c_stride + j];
    }
    return;
  }
  const dnnl_status_t status =
      dnnl_sgemm(a.transposed ? 'T' : 'N', b.transposed ? 'T' : 'N', rows, cols, inner, alpha, a.data,
                 a.stride, b.data, b.stride, beta, c, c_stride);
  if (status != dnnl_success) {
    throw InternalError(cat("[matmul] oneDNN refused [", rows, ", ", inner, "] x [", inner, ", ", cols,
                            "], strides ", a.stride, ", ", b.stride, ", ", c_stride, ": ",
                            dnnl_status2str(status)));
  }
}

}  // namespace wan::host
