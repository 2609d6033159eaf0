#include "sample/shared_start.hpp"

#include <utility>

namespace wan {

SharedStart::SharedStart(Device& device, const Dit& dit, std::vector<PackSample> samples, std::int64_t rows)
    : device_(device),
      dit_(dit),
      branch_(device, std::move(samples)),
      x_(device, dit.storage(), {rows, dit.config().dim()}),
      y_(device, dit.storage(), {rows, dit.config().dim()}) {
  // Rows past the last token are computed with and reach nothing, but must be numbers.
  device.zero(x_.view.data, x_.view.bytes());
  device.zero(y_.view.data, y_.view.bytes());
}

std::int64_t SharedStart::bytes(const Dit& dit, std::int64_t rows) {
  return 2 * rows * dit.config().dim() * bytes_of(dit.storage());
}

void SharedStart::compute(const Walk& walk, const Tensor& latents, const TimeCache& times, std::int64_t step,
                          std::int64_t branches) const {
  const std::int64_t tokens = branch_.pack().tokens();
  const DitStart one = of(branch_.pack().rows());
  dit_.predict_start(walk, branch_.view(), latents, times, step, one);
  for (std::int64_t branch = 1; branch < branches; ++branch) {
    for (const DeviceTensor* const all : {&x_, &y_}) {
      const Tensor from = all->view.row_range(0, tokens);
      device_.copy(all->view.row_range(branch * tokens, (branch + 1) * tokens).data, from.data, from.bytes());
    }
  }
}

DitStart SharedStart::of(std::int64_t rows) const {
  return {x_.view.row_range(0, rows), y_.view.row_range(0, rows)};
}

}  // namespace wan
