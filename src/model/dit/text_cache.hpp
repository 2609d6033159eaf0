#pragma once
#include <vector>

#include "device/device.hpp"

namespace wan {

/// Keys and values of the text for every block, for one layout of prompts: they do not change over denoising
/// steps.
class TextCache {
 public:
  /// Room for `rows` kept text rows in each of `layers` blocks of width `dim`.
  TextCache(Device& device, DType storage, std::int64_t layers, std::int64_t rows, std::int64_t dim);

  /// Device bytes of such a cache.
  [[nodiscard]] static std::int64_t bytes(DType storage, std::int64_t layers, std::int64_t rows,
                                          std::int64_t dim) {
    return layers * rows * 2 * dim * bytes_of(storage);
  }

  /// Block `layer`'s first `rows` rows as [rows, 2 C]: normalised keys, then values. Throws InternalError if
  /// there are fewer.
  [[nodiscard]] Tensor kv(std::int64_t layer, std::int64_t rows) const;

 private:
  std::vector<DeviceTensor> layers_;
};

}  // namespace wan
