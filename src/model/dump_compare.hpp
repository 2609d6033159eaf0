#pragma once
#include <cstdint>
#include <string>
#include <vector>

namespace wan {

/// How one tensor of two dumps (model/dump.hpp) differs.
struct DumpDifference {
  std::string name;
  std::int64_t elements = 0;
  double max_abs = 0;      ///< NaN where exactly one of two elements is NaN counts as infinity
  double relative_l2 = 0;  ///< |a - b| / |b|; 0 for two zero tensors
  std::string mismatch;    ///< "only in …", "shapes …"; empty if the tensors can be compared
};

/// Compares every tensor, in the order in which `folder` wrote them, then those that only `reference` has. Of
/// two folders of dumps, each dump with the one of the same name, tensors then being called "dump/tensor".
/// Throws NoInputError or DataError for a folder that is no dump.
[[nodiscard]] std::vector<DumpDifference> compare_dumps(const std::string& folder,
                                                        const std::string& reference);

}  // namespace wan
