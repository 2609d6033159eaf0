#include "checkpoint/chosen_weights.hpp"

#include "base/error.hpp"

namespace wan::checkpoint {

std::string weight_folder(const Checkpoint& from, WeightChoice choice) {
  bool averaged = false;
  for (const StoredTensor& tensor : from.manifest().tensors) {
    averaged = averaged || tensor.path.rfind(averaged_folder, 0) == 0;
  }
  if (choice == WeightChoice::ema && !averaged) {
    throw DataError(from.folder(), "holds no averaged weights (ema.enabled was false); use --weights raw");
  }
  return averaged && choice != WeightChoice::raw ? averaged_folder : trained_folder;
}

}  // namespace wan::checkpoint
