#include "model/storage.hpp"

#include "base/error.hpp"

namespace wan {

ModelStorage storage_on(DeviceKind device, ModelStorage asked) {
  if (asked != ModelStorage::automatic) return asked;
  return device == DeviceKind::cuda ? ModelStorage::bf16 : ModelStorage::fp32;
}

DType storage_dtype(ModelStorage storage) {
  if (storage == ModelStorage::automatic) throw InternalError("[storage] not resolved: auto");
  return storage == ModelStorage::bf16 ? DType::bf16 : DType::f32;
}

}  // namespace wan
