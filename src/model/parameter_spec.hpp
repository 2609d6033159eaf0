#pragma once
#include <cstdint>
#include <string>

#include "tensor/shape.hpp"

namespace wan {

/// The axes of the process mesh.
enum class MeshAxis : std::uint8_t { tp = 1, cp = 2, dp = 4, pp = 8 };

/// A set of mesh axes.
struct MeshAxes {
  std::uint8_t bits = 0;

  [[nodiscard]] bool contains(MeshAxis axis) const { return (bits & static_cast<std::uint8_t>(axis)) != 0; }
  [[nodiscard]] MeshAxes with(MeshAxis axis) const {
    return {static_cast<std::uint8_t>(bits | static_cast<std::uint8_t>(axis))};
  }
};

/// How a parameter gets its first values.
struct Initialiser {
  enum class Kind { constant, uniform, normal };
  Kind kind = Kind::constant;
  /// The constant; the bound b of U(-b, b); the standard deviation.
  double value = 0;
};

[[nodiscard]] Initialiser constant_initialiser(double value);
[[nodiscard]] Initialiser uniform_initialiser(double bound);
[[nodiscard]] Initialiser normal_initialiser(double deviation);
/// U(-b, b) with b = sqrt(6 / (inputs + outputs)) (Glorot and Bengio 2010).
[[nodiscard]] Initialiser xavier_initialiser(std::int64_t inputs, std::int64_t outputs);

/// What a model declares of one parameter, once: everything else (memory, optimizer groups, checkpoints,
/// sharding, reports) derives from it.
struct ParameterSpec {
  std::string name;  ///< diffusers' full name, "blocks.0.attn1.to_q.weight"
  Shape shape;       ///< of the whole, logical tensor
  Initialiser initialiser;
  int tp_axis = -1;        ///< the axis that tensor parallelism splits, -1 for none
  MeshAxes partial;        ///< axes over which each rank holds a summand of its gradient
  bool keep_fp32 = false;  ///< stays fp32 when weights are stored in bf16
  bool trainable = true;

  /// Weight decay applies to matrices, convolutions and modulation tables, not to biases and norm weights.
  [[nodiscard]] bool decayed() const { return shape.rank() >= 2; }
};

/// Writes elements [first, first + count) of the parameter's first values. They depend on (seed, name,
/// element) alone, so every layout starts from the same model.
void initial_values(const ParameterSpec& spec, std::uint64_t seed, std::int64_t first, std::int64_t count,
                    float* out);

}  // namespace wan
