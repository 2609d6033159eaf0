#pragma once
#include <map>
#include <string>
#include <string_view>

#include "device/device.hpp"
#include "tensor/tensor.hpp"

namespace wan {

/// Writes tensors by name into a folder, one .npy file each (numpy.lib.format version 1.0), widened to fp32,
/// and their names in order of writing into order.txt, so that two runs can be compared tensor by tensor. A
/// name that comes again gets ".2", ".3", ….
class Dump {
 public:
  /// Makes the folder. Throws CreateError.
  Dump(Device& device, std::string folder);

  /// Waits for the device. Writes fp32 and bf16 tensors, dense or a band of columns. Throws IoError.
  void write(std::string_view name, const Tensor& tensor);

 private:
  Device& device_;
  std::string folder_;
  std::map<std::string, int, std::less<>> seen_;
};

}  // namespace wan
