#include "model/dit/text_cache.hpp"

namespace wan {

TextCache::TextCache(Device& device, DType storage, std::int64_t layers, std::int64_t rows,
                     std::int64_t dim) {
  layers_.reserve(static_cast<std::size_t>(layers));
  for (std::int64_t layer = 0; layer < layers; ++layer)
    layers_.emplace_back(device, storage, Shape{rows, 2 * dim});
}

Tensor TextCache::kv(std::int64_t layer, std::int64_t rows) const {
  return layers_[static_cast<std::size_t>(layer)].view.row_range(0, rows);
}

}  // namespace wan
