#include "weights/streamed_tensor.hpp"

#include <algorithm>
#include <utility>

#include "base/bf16.hpp"
#include "base/error.hpp"
#include "base/text.hpp"

namespace wan {
namespace {

constexpr std::int64_t block_bytes = std::int64_t{8} << 20;

float widened(float value) {
  return value;
}
float widened(bf16 value) {
  return to_float(value);
}
float widened(std::uint16_t half) {
  return half_to_float(half);
}

void store(float value, float& to) {
  to = value;
}
void store(float value, bf16& to) {
  to = to_bf16(value);
}

template <class Stored, class Wanted>
StreamedTensor converted(StreamedTensor tensor, DType dtype) {
  const auto inner = std::move(tensor.read);
  tensor.dtype = dtype;
  tensor.read = [inner](std::int64_t first, std::int64_t count, void* to) {
    std::vector<Stored> values(static_cast<std::size_t>(count));
    inner(first, count, values.data());
    Wanted* out = static_cast<Wanted*>(to);
    for (const Stored& value : values) store(widened(value), *out++);
  };
  return tensor;
}

template <class Wanted>
StreamedTensor converted_from(StreamedTensor tensor, DType dtype) {
  switch (tensor.dtype) {
    case DType::f32:
      return converted<float, Wanted>(std::move(tensor), dtype);
    case DType::bf16:
      return converted<bf16, Wanted>(std::move(tensor), dtype);
    default:
      return converted<std::uint16_t, Wanted>(std::move(tensor), dtype);
  }
}

}  // namespace

void in_blocks(const StreamedTensor& tensor,
               const std::function<void(std::int64_t first, std::int64_t count)>& visit) {
  const std::int64_t elements = tensor.shape.elements();
  const std::int64_t block = block_bytes / bytes_of(tensor.dtype);
  for (std::int64_t first = 0; first < elements; first += block) {
    visit(first, std::min(block, elements - first));
  }
}

StreamedTensor stored_as(StreamedTensor tensor, DType dtype, const std::string& path) {
  if (tensor.dtype != DType::f32 && tensor.dtype != DType::bf16 && tensor.dtype != DType::f16) {
    throw DataError(
        path, cat("tensor '", tensor.name, "' is ", name_of(tensor.dtype), ", allowed: fp32, bf16, fp16"));
  }
  if (tensor.dtype == dtype) return tensor;
  if (dtype == DType::f32) return converted_from<float>(std::move(tensor), dtype);
  if (dtype == DType::bf16) return converted_from<bf16>(std::move(tensor), dtype);
  throw InternalError(cat("tensors are not converted to ", name_of(dtype)));
}

}  // namespace wan
