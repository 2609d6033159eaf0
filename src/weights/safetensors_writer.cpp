#include <algorithm>

#include "base/error.hpp"
#include "base/json.hpp"
#include "base/text.hpp"
#include "weights/safetensors.hpp"

namespace wan {
namespace {

Json extents_of(const Shape& shape) {
  Json out = Json(Json::Array());
  for (int axis = 0; axis < shape.rank(); ++axis) out.push(shape[axis]);
  return out;
}

std::int64_t bytes_in(const TensorToStore& tensor) {
  return tensor.shape.elements() * bytes_of(tensor.dtype);
}

/// Padded with spaces so that the data begin at a multiple of 8.
std::string header_text(const std::vector<TensorToStore>& tensors,
                        const std::vector<std::pair<std::string, std::string>>& metadata) {
  Json::Object root;
  if (!metadata.empty()) {
    Json::Object entries;
    for (const auto& [key, value] : metadata) entries.emplace_back(key, value);
    root.emplace_back("__metadata__", std::move(entries));
  }
  std::int64_t at = 0;
  for (const TensorToStore& tensor : tensors) {
    const std::int64_t end = at + bytes_in(tensor);
    root.emplace_back(tensor.name, Json::Object{{"dtype", safetensors_name(tensor.dtype)},
                                                {"shape", extents_of(tensor.shape)},
                                                {"data_offsets", Json::Array{at, end}}});
    at = end;
  }
  std::string text = Json(std::move(root)).dump();
  text.resize((text.size() + 7) / 8 * 8, ' ');
  return text;
}

}  // namespace

void write_safetensors(const std::string& path, std::vector<TensorToStore> tensors,
                       const std::vector<std::pair<std::string, std::string>>& metadata) {
  std::sort(tensors.begin(), tensors.end(), [](const TensorToStore& a, const TensorToStore& b) {
    const std::int64_t size_a = bytes_of(a.dtype);
    const std::int64_t size_b = bytes_of(b.dtype);
    return size_a != size_b ? size_a > size_b : a.name < b.name;
  });
  std::vector<std::string> names;
  for (const TensorToStore& tensor : tensors) names.push_back(tensor.name);
  std::sort(names.begin(), names.end());
  if (const auto twice = std::adjacent_find(names.begin(), names.end()); twice != names.end()) {
    throw InternalError(cat(path, ": tensor '", *twice, "' would be written twice"));
  }

  const std::string header = header_text(tensors, metadata);
  unsigned char length[8];
  for (int i = 0; i < 8; ++i) length[i] = static_cast<unsigned char>(header.size() >> (8 * i));
  AtomicFile file(path);
  file.write(length, sizeof length);
  file.write(header);
  for (const TensorToStore& tensor : tensors) file.write(tensor.data, bytes_in(tensor));
  file.commit();
}

}  // namespace wan
