#pragma once
#include "device/staging.hpp"
#include "model/dit/pack.hpp"
#include "tensor/arena.hpp"

namespace wan {

/// A pack and the device's copy of what ops read of it.
struct PackView {
  const Pack* pack = nullptr;
  Tensor timestep;   ///< [samples] fp32
  Tensor row_index;  ///< [rows] int32: the sample of each token; the last sample's past the last token
  Tensor position;   ///< [rows, 3] int32: frame, row, column inside the sample; 0 past the last token
};

/// Device memory for one pack at a time, allocated once.
class PackBuffers {
 public:
  PackBuffers(Device& device, const PackCapacity& capacity, std::int64_t row_multiple);

  /// Copies `pack` to the device; the view holds until the next call, and `pack` must live as long. Throws
  /// Error (data), naming both counts, if the pack is larger than the capacity.
  [[nodiscard]] PackView load(const Pack& pack);

 private:
  Device& device_;
  PackCapacity capacity_;
  DeviceTensor device_timestep_;
  DeviceTensor device_row_index_;
  DeviceTensor device_position_;
  Staging staging_;  ///< timestep, row_index, position
};

/// The same for planning, from a measuring arena.
[[nodiscard]] PackView planned_view(const Pack& pack, Arena& measuring);

}  // namespace wan
