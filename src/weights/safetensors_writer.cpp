#include <algorithm>
#include <cstring>

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

/// Padded with spaces so that the data begin at a multiple of 8.
std::string header_text(const std::vector<StreamedTensor>& tensors,
                        const std::vector<std::pair<std::string, std::string>>& metadata) {
  Json::Object root;
  if (!metadata.empty()) {
    Json::Object entries;
    for (const auto& [key, value] : metadata) entries.emplace_back(key, value);
    root.emplace_back("__metadata__", std::move(entries));
  }
  std::int64_t at = 0;
  for (const StreamedTensor& tensor : tensors) {
    const std::int64_t end = at + tensor.bytes();
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

void stream_safetensors(const std::string& path, std::vector<StreamedTensor> tensors,
                        const std::vector<std::pair<std::string, std::string>>& metadata) {
  std::sort(tensors.begin(), tensors.end(), [](const StreamedTensor& a, const StreamedTensor& b) {
    const std::int64_t size_a = bytes_of(a.dtype);
    const std::int64_t size_b = bytes_of(b.dtype);
    return size_a != size_b ? size_a > size_b : a.name < b.name;
  });
  std::vector<std::string> names;
  for (const StreamedTensor& tensor : tensors) names.push_back(tensor.name);
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
  std::vector<std::byte> block;
  for (const StreamedTensor& tensor : tensors) {
    in_blocks(tensor, [&](std::int64_t first, std::int64_t count) {
      const std::int64_t bytes = count * bytes_of(tensor.dtype);
      block.resize(static_cast<std::size_t>(bytes));
      tensor.read(first, count, block.data());
      file.write(block.data(), bytes);
    });
  }
  file.commit();
}

void write_safetensors(const std::string& path, const std::vector<TensorToStore>& tensors,
                       const std::vector<std::pair<std::string, std::string>>& metadata) {
  std::vector<StreamedTensor> streamed;
  for (const TensorToStore& tensor : tensors) {
    const auto* values = static_cast<const std::byte*>(tensor.data);
    const std::int64_t width = bytes_of(tensor.dtype);
    streamed.push_back({tensor.name, tensor.dtype, tensor.shape,
                        [values, width](std::int64_t first, std::int64_t count, void* to) {
                          std::memcpy(to, values + first * width, static_cast<std::size_t>(count * width));
                        }});
  }
  stream_safetensors(path, std::move(streamed), metadata);
}

}  // namespace wan
