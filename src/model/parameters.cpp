#include "model/parameters.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include "base/bf16_array.hpp"
#include "base/error.hpp"
#include "base/text.hpp"
#include "base/workers.hpp"
#include "device/staging.hpp"

namespace wan {
namespace {

/// This rank's part of a whole tensor: along `axis`, rows [index, index + 1) / count of every outer slice.
/// `whole` comes back where nothing is cut.
std::vector<float> local_part(std::vector<float> whole, const Parameter& parameter, TensorShard shard) {
  if (shard.count == 1 || parameter.spec.tp_axis < 0) return whole;
  const int axis = parameter.spec.tp_axis;
  std::int64_t inner = 1;
  for (int a = axis; a < parameter.local.rank(); ++a) inner *= parameter.local[a];
  const std::int64_t outer = parameter.elements() / inner;
  std::vector<float> part(static_cast<std::size_t>(parameter.elements()));
  for (std::int64_t o = 0; o < outer; ++o) {
    const auto from = whole.begin() + (o * shard.count + shard.index) * inner;
    std::copy(from, from + inner, part.begin() + o * inner);
  }
  return part;
}

/// Tensors on their way to a device: the host rounds one part while the one before is copied.
class Upload {
 public:
  explicit Upload(Device& device)
      : device_(device), parts_{Staging(device, part_bytes), Staging(device, part_bytes)} {}

  void add(const Tensor& to, const float* from) {
    const std::int64_t size = bytes_of(to.dtype);
    const std::int64_t most = part_bytes / size;
    for (std::int64_t first = 0; first < to.elements(); first += most) {
      const std::int64_t count = std::min(most, to.elements() - first);
      Staging& part = parts_[next_];
      next_ = 1 - next_;
      part.begin();
      if (to.dtype == DType::f32) {
        std::copy_n(from + first, count, part.at<float>(0));
      } else {
        round_to_bf16(from + first, count, part.at<bf16>(0));
      }
      device_.copy(to.as<char>() + first * size, part.at<char>(0), count * size);
      part.end();
    }
  }

 private:
  static constexpr std::int64_t part_bytes = std::int64_t{32} << 20;

  Device& device_;
  std::array<Staging, 2> parts_;
  std::size_t next_ = 0;
};

}  // namespace

std::int64_t Parameters::elements() const {
  std::int64_t total = 0;
  for (const ParameterUnit& unit : units_) {
    for (const Parameter& parameter : unit.parameters()) total += parameter.spec.shape.elements();
  }
  return total;
}

void Parameters::place(Device& device, bool with_gradients) {
  for (ParameterUnit& unit : units_) unit.place(device, with_gradients);
}

void Parameters::zero_gradients(Device& device) const {
  for (const ParameterUnit& unit : units_) unit.zero_gradients(device);
}

Parameters::Place Parameters::find(const std::string& name) const {
  for (const ParameterUnit& unit : units_) {
    const int index = unit.find(name);
    if (index >= 0) return {&unit, index};
  }
  throw InternalError(cat("[parameters] the model has no '", name, "'"));
}

void Parameters::initialise(Device& device, std::uint64_t seed) const {
  // By all cores: 14B numbers would take one of them minutes.
  load(device, [seed](const ParameterSpec& spec, float* out) {
    constexpr std::int64_t part = std::int64_t{1} << 20;
    const std::int64_t count = spec.shape.elements();
    run_jobs(workers_for(4 * count), static_cast<std::size_t>((count + part - 1) / part),
             [&](std::size_t job, std::size_t) {
               const std::int64_t first = static_cast<std::int64_t>(job) * part;
               initial_values(spec, seed, first, std::min(part, count - first), out + first);
             });
  });
}

void Parameters::load(Device& device, const Source& source, const Seen& unrounded) const {
  std::vector<float> whole;
  Upload uploading(device);
  for (const ParameterUnit& unit : units_) {
    for (std::size_t i = 0; i < unit.parameters().size(); ++i) {
      const Parameter& parameter = unit.parameters()[i];
      whole.resize(static_cast<std::size_t>(parameter.spec.shape.elements()));
      source(parameter.spec, whole.data());
      whole = local_part(std::move(whole), parameter, shard_);
      uploading.add(unit.weight(static_cast<int>(i)), whole.data());
      if (unrounded) unrounded(parameter, whole.data());
    }
  }
  device.synchronize();
}

void Parameters::upload(Device& device, const Tensor& to, const float* from) {
  if (to.dtype == DType::f32) {
    device.copy(to.data, from, to.bytes());
    device.synchronize();
    return;
  }
  std::vector<bf16> rounded(static_cast<std::size_t>(to.elements()));
  round_to_bf16(from, to.elements(), rounded.data());
  device.copy(to.data, rounded.data(), to.bytes());
  device.synchronize();
}

void Parameters::download(Device& device, const Tensor& from, float* to) {
  if (from.dtype == DType::f32) {
    device.copy(to, from.data, from.bytes());
    device.synchronize();
    return;
  }
  std::vector<bf16> stored(static_cast<std::size_t>(from.elements()));
  device.copy(stored.data(), from.data, from.bytes());
  device.synchronize();
  std::transform(stored.begin(), stored.end(), to, [](bf16 value) { return to_float(value); });
}

}  // namespace wan
