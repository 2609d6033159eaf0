#pragma once
#include <cstdint>
#include <memory>
#include <vector>

#include "device/device.hpp"

// What tests of device code share: tensors on a device from host values, host values from tensors, distances.
namespace wan::test {

/// The device under test with its fast ops, opened once per test program: the host, or with WAN_DEVICE=cuda a
/// GPU. Its memory is the host's to read in both cases, which must first wait for the GPU.
[[nodiscard]] Device& test_device();
/// The reference ops; they work on host memory.
[[nodiscard]] Ops& reference_ops();

/// `count` normals that depend on `seed` alone.
[[nodiscard]] std::vector<float> normals(std::uint64_t seed, std::int64_t count, float deviation = 1,
                                         float mean = 0);

/// Owns a tensor on a device. Every constructor rounds into `dtype`.
class Owned {
 public:
  Owned() = default;
  Owned(Device& device, DType dtype, const Shape& shape, const std::vector<float>& values);
  /// As above, as columns [left, left + cols) of a wider matrix whose other columns hold a canary.
  static Owned band(Device& device, DType dtype, const Shape& shape, const std::vector<float>& values,
                    std::int64_t left, std::int64_t right);

  /// An int32 tensor.
  static Owned integers(Device& device, const Shape& shape, const std::vector<std::int32_t>& values);

  [[nodiscard]] const Tensor& view() const { return view_; }
  operator const Tensor&() const {
    return view_;
  }  // NOLINT(google-explicit-constructor): passed as an op's argument

  /// The tensor's values in row-major order, read through its strides.
  [[nodiscard]] std::vector<float> values() const;
  /// True while no element beside the band was written.
  [[nodiscard]] bool canary_intact() const;

 private:
  Device* device_ = nullptr;
  DeviceTensor storage_;
  Tensor view_;
  std::int64_t left_ = 0;
};

[[nodiscard]] Owned zeros(Device& device, DType dtype, const Shape& shape);
[[nodiscard]] Owned random(Device& device, DType dtype, const Shape& shape, std::uint64_t seed,
                           float deviation = 1, float mean = 0);

/// Any float tensor's values, on the host.
[[nodiscard]] std::vector<float> values_of(Device& device, const Tensor& tensor);

/// A row-major [rows, columns] matrix as [columns, rows].
[[nodiscard]] std::vector<float> transposed(const std::vector<float>& matrix, std::int64_t rows,
                                            std::int64_t columns);

/// |a - b| / |b| in the Euclidean norm; 0 for two zero vectors. Infinity where sizes differ or a value is
/// NaN; infinities of the same sign at the same place are equal.
[[nodiscard]] double relative_l2(const std::vector<float>& a, const std::vector<float>& b);

}  // namespace wan::test
