#include "data/split.hpp"

#include "base/error.hpp"
#include "base/hash.hpp"

namespace wan {

std::string name_of(Split split) {
  switch (split) {
    case Split::train:
      return "train";
    case Split::validation:
      return "validation";
    case Split::test:
      return "test";
  }
  throw InternalError("[split] unknown value");
}

Split split_of(std::string_view source, const SplitWeights& weights) {
  // The upper 53 bits fill a double exactly.
  const double place = static_cast<double>(bytes_hash(source).high >> 11) * 0x1p-53;
  const double total = weights[0] + weights[1] + weights[2];
  if (place * total < weights[0]) return Split::train;
  // The comparison's rounding must not send a source into a split of weight 0.
  if (weights[2] == 0 || place * total < weights[0] + weights[1]) {
    return weights[1] > 0 ? Split::validation : Split::train;
  }
  return Split::test;
}

}  // namespace wan
