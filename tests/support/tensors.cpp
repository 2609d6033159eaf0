#include "support/tensors.hpp"

#include <cmath>
#include <cstdlib>
#include <cstring>
#include <limits>

#include "base/bf16.hpp"
#include "base/error.hpp"
#include "base/philox.hpp"
#include "device/open_device.hpp"
#include "device/ops/ref/ref_ops.hpp"
#include "support/forwarding_device.hpp"

namespace wan::test {
namespace {

constexpr float canary = -12345.0F;

std::vector<std::byte> encode(DType dtype, const std::vector<float>& values) {
  std::vector<std::byte> out(values.size() * static_cast<std::size_t>(bytes_of(dtype)));
  for (std::size_t i = 0; i < values.size(); ++i) {
    if (dtype == DType::f32) {
      std::memcpy(&out[i * 4], &values[i], 4);
    } else if (dtype == DType::bf16) {
      const bf16 narrow = to_bf16(values[i]);
      std::memcpy(&out[i * 2], &narrow, 2);
    } else if (dtype == DType::f64) {
      const auto wide = static_cast<double>(values[i]);
      std::memcpy(&out[i * 8], &wide, 8);
    } else {
      throw InternalError("[test] " + name_of(dtype) + " is no float type");
    }
  }
  return out;
}

std::vector<float> decode(DType dtype, const std::vector<std::byte>& bytes) {
  const auto size = static_cast<std::size_t>(bytes_of(dtype));
  std::vector<float> out(bytes.size() / size);
  for (std::size_t i = 0; i < out.size(); ++i) {
    if (dtype == DType::f32) {
      std::memcpy(&out[i], &bytes[i * 4], 4);
    } else if (dtype == DType::bf16) {
      bf16 narrow;
      std::memcpy(&narrow, &bytes[i * 2], 2);
      out[i] = to_float(narrow);
    } else if (dtype == DType::f64) {
      double wide;
      std::memcpy(&wide, &bytes[i * 8], 8);
      out[i] = static_cast<float>(wide);
    } else {
      throw InternalError("[test] " + name_of(dtype) + " is no float type");
    }
  }
  return out;
}

std::vector<float> read_dense(Device& device, const Tensor& tensor) {
  std::vector<std::byte> bytes(static_cast<std::size_t>(tensor.bytes()));
  device.copy(bytes.data(), tensor.data, tensor.bytes());
  device.synchronize();
  return decode(tensor.dtype, bytes);
}

/// A GPU whose tensors lie in pinned host memory, which it reaches over the bus: so the reference works on
/// the very same tensors.
class PinnedDevice final : public ForwardingDevice {
 public:
  using ForwardingDevice::ForwardingDevice;

  [[nodiscard]] void* allocate(std::int64_t bytes) override { return allocate_pinned(bytes); }
  void release(void* memory) noexcept override { release_pinned(memory); }
};

}  // namespace

Device& test_device() {
  static const std::unique_ptr<Device> device = [] {
    DeviceOptions options;
    options.threads = 1;
    options.race_all = std::getenv("WAN_TEST_RACE_ALL") != nullptr;
    return open_device(options);
  }();
  if (device->kind() == DeviceKind::host) return *device;
  static PinnedDevice pinned(*device);
  return pinned;
}

Ops& reference_ops() {
  static RefOps ops;
  return ops;
}

std::vector<float> normals(std::uint64_t seed, std::int64_t count, float deviation, float mean) {
  std::vector<float> out(static_cast<std::size_t>(count));
  fill_normal(random_key(seed, 0, 0, Purpose::initialise), 0, count, out.data());
  for (float& value : out) value = mean + deviation * value;
  return out;
}

Owned::Owned(Device& device, DType dtype, const Shape& shape, const std::vector<float>& values)
    : device_(&device), storage_(device, dtype, shape), view_(storage_.view) {
  const std::vector<std::byte> bytes = encode(dtype, values);
  if (static_cast<std::int64_t>(values.size()) != shape.elements()) {
    throw InternalError("[test] " + std::to_string(values.size()) + " values for " + shape.text());
  }
  device.copy(view_.data, bytes.data(), static_cast<std::int64_t>(bytes.size()));
  device.synchronize();
}

Owned Owned::band(Device& device, DType dtype, const Shape& shape, const std::vector<float>& values,
                  std::int64_t left, std::int64_t right) {
  const Tensor inner(nullptr, dtype, shape);
  const std::int64_t wide = left + inner.cols() + right;
  std::vector<float> all(static_cast<std::size_t>(inner.rows() * wide), canary);
  for (std::int64_t row = 0; row < inner.rows(); ++row) {
    for (std::int64_t col = 0; col < inner.cols(); ++col) {
      all[static_cast<std::size_t>(row * wide + left + col)] =
          values[static_cast<std::size_t>(row * inner.cols() + col)];
    }
  }
  Owned out(device, dtype, {inner.rows(), wide}, all);
  out.view_ = out.storage_.view.col_range(left, left + inner.cols());
  out.left_ = left;
  return out;
}

Owned Owned::integers(Device& device, const Shape& shape, const std::vector<std::int32_t>& values) {
  Owned out;
  out.device_ = &device;
  out.storage_ = DeviceTensor(device, DType::i32, shape);
  out.view_ = out.storage_.view;
  device.copy(out.view_.data, values.data(), out.view_.bytes());
  device.synchronize();
  return out;
}

std::vector<float> Owned::values() const {
  return values_of(*device_, view_);
}

bool Owned::canary_intact() const {
  const std::vector<float> all = read_dense(*device_, storage_.view);
  const std::vector<float> expected = decode(view_.dtype, encode(view_.dtype, {canary}));
  const std::int64_t wide = storage_.view.cols();
  for (std::int64_t i = 0; i < storage_.view.elements(); ++i) {
    const std::int64_t col = i % wide;
    const bool inside = col >= left_ && col < left_ + view_.cols();
    if (!inside && all[static_cast<std::size_t>(i)] != expected[0]) return false;
  }
  return true;
}

Owned zeros(Device& device, DType dtype, const Shape& shape) {
  return {device, dtype, shape, std::vector<float>(static_cast<std::size_t>(shape.elements()))};
}

Owned random(Device& device, DType dtype, const Shape& shape, std::uint64_t seed, float deviation,
             float mean) {
  return {device, dtype, shape, normals(seed, shape.elements(), deviation, mean)};
}

std::vector<float> values_of(Device& device, const Tensor& tensor) {
  std::vector<float> out;
  out.reserve(static_cast<std::size_t>(tensor.elements()));
  for (std::int64_t row = 0; row < tensor.rows(); ++row) {
    const std::vector<float> part = read_dense(device, tensor.row_range(row, row + 1));
    out.insert(out.end(), part.begin(), part.end());
  }
  return out;
}

std::vector<float> transposed(const std::vector<float>& matrix, std::int64_t rows, std::int64_t columns) {
  std::vector<float> out(matrix.size());
  for (std::int64_t row = 0; row < rows; ++row) {
    for (std::int64_t column = 0; column < columns; ++column) {
      out[static_cast<std::size_t>(column * rows + row)] =
          matrix[static_cast<std::size_t>(row * columns + column)];
    }
  }
  return out;
}

double relative_l2(const std::vector<float>& a, const std::vector<float>& b) {
  if (a.size() != b.size()) return std::numeric_limits<double>::infinity();
  double difference = 0;
  double norm = 0;
  for (std::size_t i = 0; i < a.size(); ++i) {
    if (std::isinf(a[i]) && a[i] == b[i]) continue;
    const double d = static_cast<double>(a[i]) - static_cast<double>(b[i]);
    if (!std::isfinite(d)) return std::numeric_limits<double>::infinity();
    difference += d * d;
    norm += static_cast<double>(b[i]) * static_cast<double>(b[i]);
  }
  if (difference == 0) return 0;
  return norm == 0 ? std::numeric_limits<double>::infinity() : std::sqrt(difference / norm);
}

}  // namespace wan::test
