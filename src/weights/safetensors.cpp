#include "weights/safetensors.hpp"

#include <algorithm>
#include <cstring>
#include <limits>

#include "base/bf16.hpp"
#include "base/error.hpp"
#include "base/text.hpp"

namespace wan {
namespace {

constexpr std::int64_t length_bytes = 8;
/// Tensors are converted and hashed in blocks of this many elements.
constexpr std::int64_t block_elements = std::int64_t{1} << 18;

SafetensorsHeader read_header(const InputFile& file) {
  if (file.bytes() < length_bytes)
    throw DataError(file.path(), cat("has ", file.bytes(), " bytes: no safetensors file"));
  unsigned char length[length_bytes];
  file.read(0, length, length_bytes);
  std::uint64_t header_bytes = 0;
  for (int i = length_bytes - 1; i >= 0; --i) header_bytes = (header_bytes << 8) | length[i];
  const auto room = static_cast<std::uint64_t>(std::min(max_safetensors_header, file.bytes() - length_bytes));
  if (header_bytes > room) {
    throw DataError(file.path(),
                    cat("announces a header of ", header_bytes, " bytes, at most ", room, " are possible"));
  }
  std::string json(static_cast<std::size_t>(header_bytes), ' ');
  const auto data_begin = length_bytes + static_cast<std::int64_t>(header_bytes);
  file.read(length_bytes, json.data(), static_cast<std::int64_t>(header_bytes));
  return parse_safetensors_header(json, data_begin, file.bytes() - data_begin, file.path());
}

template <class Stored, class Out>
void read_converted(const InputFile& file, const StoredTensor& tensor, Out* out, Out (*convert)(Stored)) {
  const std::int64_t count = tensor.bytes / static_cast<std::int64_t>(sizeof(Stored));
  std::vector<Stored> block(static_cast<std::size_t>(std::min(count, block_elements)));
  for (std::int64_t first = 0; first < count; first += block_elements) {
    const std::int64_t n = std::min(block_elements, count - first);
    file.read(tensor.offset + first * static_cast<std::int64_t>(sizeof(Stored)), block.data(),
              n * static_cast<std::int64_t>(sizeof(Stored)));
    std::transform(block.begin(), block.begin() + n, out + first, convert);
  }
}

template <class T>
std::vector<T> room_for(const StoredTensor& tensor) {
  return std::vector<T>(static_cast<std::size_t>(tensor.shape.elements()));
}

}  // namespace

SafetensorsFile::SafetensorsFile(const std::string& path) : file_(path), header_(read_header(file_)) {}

const StoredTensor* SafetensorsFile::find(const std::string& name) const {
  const auto at = std::lower_bound(
      header_.tensors.begin(), header_.tensors.end(), name,
      [](const StoredTensor& tensor, const std::string& wanted) { return tensor.name < wanted; });
  return at != header_.tensors.end() && at->name == name ? &*at : nullptr;
}

const StoredTensor& SafetensorsFile::at(const std::string& name) const {
  if (const StoredTensor* tensor = find(name)) return *tensor;
  std::vector<std::string> names;
  for (const StoredTensor& tensor : tensors()) names.push_back(tensor.name);
  throw DataError(path(), cat("has no tensor '", name, "'; the nearest of ", names.size(), " is '",
                              nearest(name, names), "'"));
}

void SafetensorsFile::wrong_type(const StoredTensor& tensor, const char* allowed) const {
  throw DataError(
      path(), cat("tensor '", tensor.name, "' is ", safetensors_name(tensor.dtype), ", allowed: ", allowed));
}

void SafetensorsFile::read_bytes(const StoredTensor& tensor, void* out) const {
  file_.read(tensor.offset, out, tensor.bytes);
}

void SafetensorsFile::read_elements(const StoredTensor& tensor, std::int64_t first, std::int64_t count,
                                    void* out) const {
  if (first < 0 || count < 0 || count > tensor.shape.elements() - first) {
    throw InternalError(cat(path(), ": elements ", first, " + ", count, " of '", tensor.name, "', which has ",
                            tensor.shape.elements()));
  }
  const std::int64_t element = bytes_of(tensor.dtype);
  file_.read(tensor.offset + first * element, out, count * element);
}

void SafetensorsFile::read_floats(const StoredTensor& tensor, float* out) const {
  switch (tensor.dtype) {
    case DType::f32:
      return read_bytes(tensor, out);
    case DType::bf16:
      return read_converted<bf16, float>(file_, tensor, out, [](bf16 value) { return to_float(value); });
    case DType::f16:
      return read_converted<std::uint16_t, float>(file_, tensor, out,
                                                  [](std::uint16_t bits) { return half_to_float(bits); });
    default:
      wrong_type(tensor, "F32, F16, BF16");
  }
}

std::vector<float> SafetensorsFile::floats(const std::string& name) const {
  const StoredTensor& tensor = at(name);
  std::vector<float> out = room_for<float>(tensor);
  read_floats(tensor, out.data());
  return out;
}

std::vector<double> SafetensorsFile::doubles(const std::string& name) const {
  const StoredTensor& tensor = at(name);
  std::vector<double> out = room_for<double>(tensor);
  if (tensor.dtype == DType::f64) {
    read_bytes(tensor, out.data());
  } else if (tensor.dtype == DType::f32) {
    read_converted<float, double>(file_, tensor, out.data(),
                                  [](float value) { return static_cast<double>(value); });
  } else {
    wrong_type(tensor, "F64, F32");
  }
  return out;
}

std::vector<std::int64_t> SafetensorsFile::integers(const std::string& name) const {
  const StoredTensor& tensor = at(name);
  std::vector<std::int64_t> out = room_for<std::int64_t>(tensor);
  if (tensor.dtype == DType::i64) {
    read_bytes(tensor, out.data());
  } else if (tensor.dtype == DType::i32) {
    read_converted<std::int32_t, std::int64_t>(file_, tensor, out.data(),
                                               [](std::int32_t value) { return std::int64_t{value}; });
  } else {
    wrong_type(tensor, "I64, I32");
  }
  return out;
}

Hash128 SafetensorsFile::hash(const StoredTensor& tensor) const {
  const std::int64_t element = bytes_of(tensor.dtype);
  const std::int64_t count = tensor.bytes / element;
  std::vector<std::byte> block(static_cast<std::size_t>(std::min(count, block_elements) * element));
  Hash128 sum;
  for (std::int64_t first = 0; first < count; first += block_elements) {
    const std::int64_t n = std::min(block_elements, count - first);
    file_.read(tensor.offset + first * element, block.data(), n * element);
    sum += content_hash(block.data(), n, static_cast<int>(element), static_cast<std::uint64_t>(first));
  }
  return sum;
}

}  // namespace wan
