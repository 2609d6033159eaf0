#include "sample/step_pack.hpp"

#include <utility>

namespace wan {

PackCapacity capacity_of(const Pack& pack) {
  return {pack.rows(), pack.text_rows(), static_cast<std::int64_t>(pack.samples().size())};
}

StepPack::StepPack(Device& device, std::vector<PackSample> samples)
    : pack_(std::move(samples), row_multiple(device.kind())),
      buffers_(device, capacity_of(pack_), row_multiple(device.kind())),
      one_time_(device, DType::i32, {pack_.rows()}),
      view_(buffers_.load(pack_)) {
  device.zero(one_time_.view.data, one_time_.view.bytes());
  view_.row_index = one_time_.view;
}

}  // namespace wan
