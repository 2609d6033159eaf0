#pragma once
#include <array>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "device/device.hpp"
#include "model/parameter_spec.hpp"
#include "tensor/tensor.hpp"

namespace wan {

/// This rank's place among those that split parameters along their tp_axis.
struct TensorShard {
  std::int64_t index = 0;
  std::int64_t count = 1;
};

/// A parameter and its place in its unit.
struct Parameter {
  ParameterSpec spec;
  Shape local;              ///< this rank's part of spec.shape
  std::int64_t offset = 0;  ///< of its first element among the unit's elements
  int group = 0;

  [[nodiscard]] std::int64_t elements() const { return local.elements(); }
};

/// A run of one parameter's elements that lies in a range of the unit's elements.
struct ParameterPiece {
  int parameter = 0;
  std::int64_t first = 0;   ///< first element, counted in the parameter's local row-major order
  std::int64_t offset = 0;  ///< where it lies among the unit's elements
  std::int64_t count = 0;
};

/// The parameters that are fetched, reduced and updated together: the embeddings, one block, or the head.
///
/// Elements are numbered once, for weights, gradients and optimizer state alike, in four sections: trainable
/// in storage dtype, trainable in fp32, frozen in storage dtype, frozen in fp32; inside a section groups
/// follow in the order of their declaration, each from a multiple of `alignment` on; inside a group
/// parameters follow without gaps. Padding elements are 0 and stay 0. Weights are one allocation, the
/// sections one after the other, each in its own dtype; gradients are one fp32 buffer over the trainable
/// elements. With fp32 storage both trainable sections are one run of fp32 numbers.
class ParameterUnit {
 public:
  /// In elements.
  static constexpr std::int64_t alignment = 64;

  ParameterUnit(std::string name, DType storage, TensorShard shard);

  /// Adds parameters that lie without gaps, so that equal columns make them one matrix (attn1.qkv: three
  /// names, one GEMM). All of a group agree in keep_fp32 and trainable. Returns the group's number. Before
  /// place().
  int add(std::vector<ParameterSpec> group);

  /// Allocates zeroed weights and, if asked for, zeroed gradients. Until then tensors have addresses nobody
  /// may touch, as those of a measuring arena.
  void place(Device& device, bool with_gradients);

  [[nodiscard]] const std::string& name() const { return name_; }
  [[nodiscard]] const std::vector<Parameter>& parameters() const { return parameters_; }
  /// The parameter's index, or -1.
  [[nodiscard]] int find(const std::string& name) const;

  /// Elements with padding: all, and those with a gradient, which come first.
  [[nodiscard]] std::int64_t elements() const;
  [[nodiscard]] std::int64_t trainable_elements() const;
  [[nodiscard]] std::int64_t weight_bytes() const;

  /// One parameter's local weight and gradient; no tensor if it has no gradient.
  [[nodiscard]] Tensor weight(int parameter) const;
  [[nodiscard]] Tensor gradient(int parameter) const;
  /// A group joined along axis 0, as [rows, cols]; one dimension if its parameters have one.
  [[nodiscard]] Tensor group_weight(int group) const;
  [[nodiscard]] Tensor group_gradient(int group) const;

  /// All gradients, flat [trainable_elements()] fp32.
  [[nodiscard]] Tensor gradients() const;
  /// The trainable weights as at most two flat tensors: (first element, tensor), in order, without gaps.
  [[nodiscard]] std::vector<std::pair<std::int64_t, Tensor>> weight_runs() const;

  /// The parameters in elements [begin, end), padding left out.
  [[nodiscard]] std::vector<ParameterPiece> pieces(std::int64_t begin, std::int64_t end) const;
  /// Ranges inside [begin, end), relative to begin, that weight decay applies to.
  [[nodiscard]] std::vector<std::pair<std::int64_t, std::int64_t>> decayed(std::int64_t begin,
                                                                           std::int64_t end) const;

  void zero_gradients(Device& device) const;

 private:
  struct Group {
    int section = 0;
    int first = 0;  ///< parameter
    int count = 0;
  };
  static constexpr int sections = 4;

  [[nodiscard]] DType section_dtype(int section) const;
  [[nodiscard]] std::int64_t section_begin(int section) const;
  [[nodiscard]] std::byte* section_memory(int section) const;
  [[nodiscard]] Shape group_shape(const Group& group) const;
  [[nodiscard]] Tensor weight_at(int section, std::int64_t offset, const Shape& shape) const;
  [[nodiscard]] Tensor gradient_at(int section, std::int64_t offset, const Shape& shape) const;
  [[nodiscard]] Shape local_shape(const ParameterSpec& spec) const;
  void number_elements();

  std::string name_;
  DType storage_;
  TensorShard shard_;
  std::vector<Parameter> parameters_;
  std::vector<Group> groups_;
  std::array<std::int64_t, sections> section_elements_{};
  DeviceBuffer weights_;
  DeviceBuffer gradients_;
  bool placed_ = false;
  bool has_gradients_ = true;
};

}  // namespace wan
