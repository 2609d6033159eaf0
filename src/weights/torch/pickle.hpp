#pragma once
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "tensor/dtype.hpp"
#include "tensor/shape.hpp"

namespace wan {

/// A tensor as the pickle of a state dict describes it: a view of a storage that lies elsewhere.
struct PickledTensor {
  std::string name;
  DType dtype = DType::f32;
  std::string storage;                ///< key of the storage
  std::int64_t storage_elements = 0;  ///< its length
  std::int64_t offset = 0;            ///< of the tensor's first element in it
  Shape shape;
  std::vector<std::int64_t> strides;  ///< elements, one for each axis, not negative
};

/// The longest pickle that is read; that of a state dict takes some 150 bytes a tensor.
constexpr std::int64_t most_pickle_bytes = std::int64_t{4} << 20;

/// The tensors of a state dict that torch.save pickled with protocol 2, in its order. A pickle is a program;
/// this one is not run: what a state dict is made of (dictionaries, tuples, texts, numbers, torch's storages,
/// its _rebuild_tensor_v2 and _rebuild_parameter, collections.OrderedDict) is read as data, and anything else
/// is a DataError(`path`) that names opcode or global and its byte. Every view is checked to lie inside its
/// storage.
[[nodiscard]] std::vector<PickledTensor> parse_state_dict(std::string_view pickle, const std::string& path);

}  // namespace wan
