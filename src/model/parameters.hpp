#pragma once
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "model/parameter_unit.hpp"

namespace wan {

/// All parameters of a model, by unit, with their copies to and from the host.
class Parameters {
 public:
  /// Writes the whole logical tensor `spec.name` of spec.shape as fp32, row-major, to `out`. Throws what it
  /// finds wrong.
  using Source = std::function<void(const ParameterSpec& spec, float* out)>;

  Parameters() = default;
  explicit Parameters(std::vector<ParameterUnit> units, TensorShard shard = {})
      : units_(std::move(units)), shard_(shard) {}

  [[nodiscard]] const std::vector<ParameterUnit>& units() const { return units_; }
  [[nodiscard]] const ParameterUnit& unit(std::size_t index) const { return units_[index]; }
  /// Number of logical elements: no padding, every parameter whole.
  [[nodiscard]] std::int64_t elements() const;

  /// Allocates every unit's weights and, if asked for, gradients.
  void place(Device& device, bool with_gradients);
  void zero_gradients(Device& device) const;

  struct Place {
    const ParameterUnit* unit = nullptr;
    int parameter = 0;
  };
  /// Throws InternalError for a name the model does not have.
  [[nodiscard]] Place find(const std::string& name) const;

  /// Draws all first values from `seed`.
  void initialise(Device& device, std::uint64_t seed) const;
  /// Reads all parameters from `source`, rounding to nearest even where storage is bf16. `unrounded`, if
  /// given, sees this rank's part of each in fp32, local row-major.
  using Seen = std::function<void(const Parameter& parameter, const float* local)>;
  void load(Device& device, const Source& source, const Seen& unrounded = {}) const;

  /// Copies this rank's part of one parameter or gradient from and to the host, as fp32 in local row-major
  /// order. Waits for the device.
  static void upload(Device& device, const Tensor& to, const float* from);
  static void download(Device& device, const Tensor& from, float* to);

 private:
  std::vector<ParameterUnit> units_;
  TensorShard shard_;
};

}  // namespace wan
