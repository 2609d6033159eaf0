#pragma once
#include <vector>

#include "device/device.hpp"
#include "model/dit/pack_buffers.hpp"

namespace wan {

/// A pack on the device whose samples are all at the same denoising step: one row of modulation is every
/// token's.
class StepPack {
 public:
  StepPack(Device& device, std::vector<PackSample> samples);
  // The view points into it.
  StepPack(const StepPack&) = delete;
  StepPack& operator=(const StepPack&) = delete;

  [[nodiscard]] const Pack& pack() const { return pack_; }
  [[nodiscard]] const PackView& view() const { return view_; }

 private:
  Pack pack_;
  PackBuffers buffers_;
  DeviceTensor one_time_;  ///< zeros, in place of each token's sample
  PackView view_;
};

/// What holds all of `pack` and no more.
[[nodiscard]] PackCapacity capacity_of(const Pack& pack);

}  // namespace wan
