#pragma once
#include <cstdint>
#include <string>
#include <string_view>

#include "data/dataset_info.hpp"
#include "data/index.hpp"
#include "data/shard.hpp"

namespace wan::test {

/// How a data set without videos is made: random latents of two geometries and texts of different lengths.
struct SmallDataset {
  std::int64_t shards = 2;
  std::int64_t sources_per_shard = 10;  ///< with two clips each
  std::int64_t channels = 2;
  std::int64_t text_width = 6;
  DType dtype = DType::bf16;
  SplitWeights split{8, 1, 1};
  std::string_view broken_source = {};  ///< whose latents are not numbers
};

[[nodiscard]] DatasetSettings small_settings(const SmallDataset& make);
/// The plan of shard `number`, no slabs assigned.
[[nodiscard]] ShardPlan small_plan(const SmallDataset& make, std::int64_t number);
/// What row `row` of a plan holds before rounding.
[[nodiscard]] std::vector<float> small_latent(const Row& row);
[[nodiscard]] std::vector<float> small_text(const Row& row, std::int64_t width);
[[nodiscard]] std::vector<float> small_null_text(std::int64_t width);

/// Writes a finished data set of it into `folder`.
void write_small_dataset(const std::string& folder, const SmallDataset& make);

/// Puts another index into a finished data set, so that dataset.yaml vouches for it.
void replace_index(const std::string& folder, const Index& index);

}  // namespace wan::test
