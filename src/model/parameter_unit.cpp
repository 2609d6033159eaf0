#include "model/parameter_unit.hpp"

#include <algorithm>
#include <cassert>

#include "base/error.hpp"
#include "base/text.hpp"

namespace wan {
namespace {

std::int64_t rounded_up(std::int64_t elements) {
  return (elements + ParameterUnit::alignment - 1) / ParameterUnit::alignment * ParameterUnit::alignment;
}

/// Not null, so that it counts as given; nobody may touch it.
std::byte* nowhere() {
  return reinterpret_cast<std::byte*>(std::uintptr_t{256});
}

int section_of(const ParameterSpec& spec) {
  return (spec.trainable ? 0 : 2) + (spec.keep_fp32 ? 1 : 0);
}

}  // namespace

ParameterUnit::ParameterUnit(std::string name, DType storage, TensorShard shard)
    : name_(std::move(name)), storage_(storage), shard_(shard) {
  if (storage != DType::f32 && storage != DType::bf16) {
    throw InternalError(
        cat("[parameters] ", name_, " cannot be stored as ", name_of(storage), "; allowed: fp32, bf16"));
  }
}

int ParameterUnit::add(std::vector<ParameterSpec> group) {
  assert(!placed_ && !group.empty());
  const int number = static_cast<int>(groups_.size());
  const int section = section_of(group.front());
  groups_.push_back({section, static_cast<int>(parameters_.size()), static_cast<int>(group.size())});
  for (ParameterSpec& spec : group) {
    assert(section_of(spec) == section && "a group agrees in keep_fp32 and trainable");
    const Shape local = local_shape(spec);
    parameters_.push_back({std::move(spec), local, 0, number});
  }
  number_elements();
  return number;
}

Shape ParameterUnit::local_shape(const ParameterSpec& spec) const {
  Shape local = spec.shape;
  if (spec.tp_axis < 0) return local;
  const std::int64_t extent = spec.shape[spec.tp_axis];
  if (extent % shard_.count != 0) {
    throw ConfigError("model.tensor_model_parallel_size",
                      cat(spec.name, " has ", extent, " elements along axis ", spec.tp_axis,
                          ", not divisible by ", shard_.count));
  }
  local.resize_axis(spec.tp_axis, extent / shard_.count);
  return local;
}

void ParameterUnit::number_elements() {
  section_elements_.fill(0);
  for (const Group& group : groups_) {
    std::int64_t& used = section_elements_[static_cast<std::size_t>(group.section)];
    for (int i = group.first; i < group.first + group.count; ++i) {
      parameters_[static_cast<std::size_t>(i)].offset = used;
      used += parameters_[static_cast<std::size_t>(i)].elements();
    }
    used = rounded_up(used);
  }
  for (Parameter& parameter : parameters_) parameter.offset += section_begin(section_of(parameter.spec));
}

void ParameterUnit::place(Device& device, bool with_gradients) {
  weights_ = DeviceBuffer(device, std::max<std::int64_t>(weight_bytes(), 1));
  device.zero(weights_.data(), weight_bytes());
  has_gradients_ = with_gradients;
  if (with_gradients) {
    const std::int64_t bytes = trainable_elements() * bytes_of(DType::f32);
    gradients_ = DeviceBuffer(device, std::max<std::int64_t>(bytes, 1));
    device.zero(gradients_.data(), bytes);
  }
  placed_ = true;
}

int ParameterUnit::find(const std::string& name) const {
  const auto found = std::find_if(parameters_.begin(), parameters_.end(),
                                  [&](const Parameter& parameter) { return parameter.spec.name == name; });
  return found == parameters_.end() ? -1 : static_cast<int>(found - parameters_.begin());
}

std::int64_t ParameterUnit::elements() const {
  return section_begin(sections);
}
std::int64_t ParameterUnit::trainable_elements() const {
  return section_begin(2);
}

std::int64_t ParameterUnit::weight_bytes() const {
  std::int64_t bytes = 0;
  for (int section = 0; section < sections; ++section) {
    bytes += section_elements_[static_cast<std::size_t>(section)] * bytes_of(section_dtype(section));
  }
  return bytes;
}

DType ParameterUnit::section_dtype(int section) const {
  return section % 2 == 0 ? storage_ : DType::f32;
}

std::int64_t ParameterUnit::section_begin(int section) const {
  std::int64_t begin = 0;
  for (int s = 0; s < section; ++s) begin += section_elements_[static_cast<std::size_t>(s)];
  return begin;
}

std::byte* ParameterUnit::section_memory(int section) const {
  std::byte* memory = placed_ ? static_cast<std::byte*>(weights_.data()) : nowhere();
  for (int s = 0; s < section; ++s)
    memory += section_elements_[static_cast<std::size_t>(s)] * bytes_of(section_dtype(s));
  return memory;
}

Tensor ParameterUnit::weight_at(int section, std::int64_t offset, const Shape& shape) const {
  const DType dtype = section_dtype(section);
  return {section_memory(section) + (offset - section_begin(section)) * bytes_of(dtype), dtype, shape};
}

Tensor ParameterUnit::gradient_at(int section, std::int64_t offset, const Shape& shape) const {
  if (!has_gradients_ || section >= 2) return {};
  std::byte* memory = placed_ ? static_cast<std::byte*>(gradients_.data()) : nowhere();
  return {memory + offset * bytes_of(DType::f32), DType::f32, shape};
}

Tensor ParameterUnit::weight(int parameter) const {
  const Parameter& p = parameters_[static_cast<std::size_t>(parameter)];
  return weight_at(section_of(p.spec), p.offset, p.local);
}

Tensor ParameterUnit::gradient(int parameter) const {
  const Parameter& p = parameters_[static_cast<std::size_t>(parameter)];
  return gradient_at(section_of(p.spec), p.offset, p.local);
}

Shape ParameterUnit::group_shape(const Group& group) const {
  const Shape& first = parameters_[static_cast<std::size_t>(group.first)].local;
  std::int64_t elements = 0;
  for (int i = group.first; i < group.first + group.count; ++i)
    elements += parameters_[static_cast<std::size_t>(i)].elements();
  if (first.rank() == 1) return {elements};
  const std::int64_t cols = first.elements() / first[0];
  return {elements / cols, cols};
}

Tensor ParameterUnit::group_weight(int number) const {
  const Group& group = groups_[static_cast<std::size_t>(number)];
  return weight_at(group.section, parameters_[static_cast<std::size_t>(group.first)].offset,
                   group_shape(group));
}

Tensor ParameterUnit::group_gradient(int number) const {
  const Group& group = groups_[static_cast<std::size_t>(number)];
  return gradient_at(group.section, parameters_[static_cast<std::size_t>(group.first)].offset,
                     group_shape(group));
}

Tensor ParameterUnit::gradients() const {
  return gradient_at(0, 0, {trainable_elements()});
}

std::vector<std::pair<std::int64_t, Tensor>> ParameterUnit::weight_runs() const {
  if (storage_ == DType::f32) return {{0, weight_at(0, 0, {trainable_elements()})}};
  std::vector<std::pair<std::int64_t, Tensor>> runs;
  for (int section = 0; section < 2; ++section) {
    const std::int64_t count = section_elements_[static_cast<std::size_t>(section)];
    if (count > 0)
      runs.emplace_back(section_begin(section), weight_at(section, section_begin(section), {count}));
  }
  return runs;
}

std::vector<ParameterPiece> ParameterUnit::pieces(std::int64_t begin, std::int64_t end) const {
  std::vector<ParameterPiece> out;
  for (std::size_t i = 0; i < parameters_.size(); ++i) {
    const std::int64_t offset = parameters_[i].offset;
    const std::int64_t from = std::max(begin, offset);
    const std::int64_t to = std::min(end, offset + parameters_[i].elements());
    if (from < to) out.push_back({static_cast<int>(i), from - offset, from, to - from});
  }
  std::sort(out.begin(), out.end(), [](const auto& a, const auto& b) { return a.offset < b.offset; });
  return out;
}

std::vector<std::pair<std::int64_t, std::int64_t>> ParameterUnit::decayed(std::int64_t begin,
                                                                          std::int64_t end) const {
  std::vector<std::pair<std::int64_t, std::int64_t>> ranges;
  for (const ParameterPiece& piece : pieces(begin, end)) {
    if (!parameters_[static_cast<std::size_t>(piece.parameter)].spec.decayed()) continue;
    const std::int64_t from = piece.offset - begin;
    if (!ranges.empty() && ranges.back().second == from) {
      ranges.back().second = from + piece.count;
    } else {
      ranges.emplace_back(from, from + piece.count);
    }
  }
  return ranges;
}

void ParameterUnit::zero_gradients(Device& device) const {
  if (has_gradients_) device.zero(gradients_.data(), trainable_elements() * bytes_of(DType::f32));
}

}  // namespace wan
