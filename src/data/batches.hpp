#pragma once
#include <cstdint>
#include <vector>

#include "base/json.hpp"
#include "data/packing.hpp"

namespace wan {

/// How the packs of a step are shared out. A step takes `global` packs; micro step a of data-parallel rank r
/// takes packs (a × dp_size + r) × micro .. + micro of them.
struct BatchLayout {
  std::int64_t global = 1;
  std::int64_t micro = 1;
  std::int64_t dp_rank = 0;
  std::int64_t dp_size = 1;

  /// Micro steps per step. Throws ConfigError unless global is a multiple of micro × dp_size.
  [[nodiscard]] std::int64_t micro_steps() const;
};

/// Where a run stands in the endless sequence of packs: epoch after epoch, each in its own order. It says the
/// same on every rank and for every number of ranks.
struct LoaderState {
  std::int64_t epoch = 0;
  std::int64_t pack = 0;     ///< packs of that epoch already used
  std::int64_t samples = 0;  ///< samples used since the beginning

  friend bool operator==(const LoaderState& a, const LoaderState& b) {
    return a.epoch == b.epoch && a.pack == b.pack && a.samples == b.samples;
  }
};
[[nodiscard]] Json to_json(const LoaderState& state);
/// Throws DataError naming `source_name` for missing, negative or non-integer members.
[[nodiscard]] LoaderState loader_state_from_json(const Json& json, const std::string& source_name);

/// A pack and the epoch that visits it.
struct VisitedPack {
  PackPlan plan;
  std::int64_t epoch = 0;
};

/// One step's packs for one rank, and what all ranks together take.
struct BatchPlan {
  std::vector<std::vector<VisitedPack>> micro_steps;
  std::int64_t samples = 0;  ///< of all ranks
  std::int64_t tokens = 0;   ///< of all ranks
  LoaderState after;
};

/// The sequence of steps. No input or output: it only knows what belongs where.
class BatchSequence {
 public:
  /// `source` must outlive it and hold at least one sample (else DataError). Throws ConfigError as
  /// BatchLayout does.
  BatchSequence(const SampleSource& source, std::uint64_t seed, const Packing& packing,
                const BatchLayout& layout, const LoaderState& start);

  [[nodiscard]] BatchPlan next();

 private:
  void open_epoch();

  const SampleSource& source_;
  std::uint64_t seed_;
  Packing packing_;
  BatchLayout layout_;
  LoaderState state_;
  std::vector<PackPlan> epoch_;
};

}  // namespace wan
