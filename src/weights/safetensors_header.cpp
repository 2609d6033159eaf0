#include "weights/safetensors_header.hpp"

#include <algorithm>
#include <array>

#include "base/error.hpp"
#include "base/json.hpp"
#include "base/text.hpp"

namespace wan {
namespace {

constexpr std::array<std::pair<DType, const char*>, 7> names = {{{DType::f32, "F32"},
                                                                 {DType::bf16, "BF16"},
                                                                 {DType::f16, "F16"},
                                                                 {DType::f64, "F64"},
                                                                 {DType::i64, "I64"},
                                                                 {DType::i32, "I32"},
                                                                 {DType::u8, "U8"}}};

[[noreturn]] void refuse(const std::string& message) {
  throw Error(ExitCode::data, message);
}

DType dtype_from(const std::string& name) {
  std::vector<std::string> known;
  for (const auto& [dtype, text] : names) {
    if (name == text) return dtype;
    known.emplace_back(text);
  }
  refuse(cat("dtype is '", name.substr(0, 20), "', allowed: ", join(known, ", ")));
}

Shape shape_from(const Json& extents) {
  Shape shape;
  for (const Json& extent : extents.as_array()) shape.append(extent.as_integer());
  return shape;
}

StoredTensor tensor_from(const std::string& name, const Json& entry, std::int64_t data_begin,
                         std::int64_t data_bytes) {
  StoredTensor tensor;
  tensor.name = name;
  tensor.dtype = dtype_from(entry.at("dtype").as_string());
  tensor.shape = shape_from(entry.at("shape"));
  const Json::Array& offsets = entry.at("data_offsets").as_array();
  if (offsets.size() != 2) refuse(cat("data_offsets has ", offsets.size(), " numbers, 2 are needed"));
  const std::int64_t begin = offsets[0].as_integer();
  const std::int64_t end = offsets[1].as_integer();
  if (begin < 0 || end < begin || end > data_bytes) {
    refuse(cat("data_offsets are [", begin, ", ", end, "], the file holds ", data_bytes, " bytes of data"));
  }
  std::int64_t bytes = 0;
  if (__builtin_mul_overflow(tensor.shape.elements(), bytes_of(tensor.dtype), &bytes) ||
      bytes != end - begin) {
    refuse(cat(safetensors_name(tensor.dtype), " of shape ", tensor.shape.text(), " does not take the ",
               end - begin, " bytes that it is given"));
  }
  tensor.offset = data_begin + begin;
  tensor.bytes = bytes;
  return tensor;
}

/// Every byte of the data belongs to exactly one tensor.
void require_full_coverage(const std::vector<StoredTensor>& tensors, std::int64_t data_begin,
                           std::int64_t data_bytes) {
  std::vector<const StoredTensor*> order;
  for (const StoredTensor& tensor : tensors) order.push_back(&tensor);
  std::sort(order.begin(), order.end(), [](const StoredTensor* a, const StoredTensor* b) {
    return std::pair(a->offset, a->bytes) < std::pair(b->offset, b->bytes);
  });
  std::int64_t at = data_begin;
  for (const StoredTensor* tensor : order) {
    if (tensor->offset != at) {
      refuse(cat("tensor '", tensor->name, "' begins at data byte ", tensor->offset - data_begin,
                 ", the one before ends at ", at - data_begin));
    }
    at += tensor->bytes;
  }
  if (at != data_begin + data_bytes) {
    refuse(cat("the tensors take ", at - data_begin, " bytes, the file holds ", data_bytes));
  }
}

}  // namespace

std::string safetensors_name(DType dtype) {
  for (const auto& [known, text] : names) {
    if (known == dtype) return text;
  }
  throw InternalError("safetensors has no name for " + name_of(dtype));
}

SafetensorsHeader parse_safetensors_header(std::string_view json, std::int64_t data_begin,
                                           std::int64_t data_bytes, const std::string& path) {
  if (json.empty() || json.front() != '{')
    throw DataError(path, "the safetensors header does not begin with '{'");
  const Json root = Json::parse(json, path);
  SafetensorsHeader header;
  std::string current;
  try {
    for (const auto& [name, entry] : root.as_object()) {
      current = name;
      if (name == "__metadata__") {
        for (const auto& [key, value] : entry.as_object())
          header.metadata.emplace_back(key, value.as_string());
      } else {
        header.tensors.push_back(tensor_from(name, entry, data_begin, data_bytes));
      }
    }
    current.clear();
    require_full_coverage(header.tensors, data_begin, data_bytes);
  } catch (const Error& error) {
    throw DataError(path, current.empty() ? std::string(error.what())
                                          : cat("tensor '", current.substr(0, 100), "': ", error.what()));
  }
  std::sort(header.tensors.begin(), header.tensors.end(),
            [](const StoredTensor& a, const StoredTensor& b) { return a.name < b.name; });
  return header;
}

}  // namespace wan
