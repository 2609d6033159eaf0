#pragma once
#include <string>
#include <vector>

#include "config/vae_tiling.hpp"
#include "data/dataset_info.hpp"
#include "data/shard.hpp"
#include "prep/dataset_lock.hpp"
#include "prep/source_plan.hpp"
#include "runtime/runtime.hpp"
#include "weights/model_parts.hpp"

namespace wan {

/// A preparation job: what it makes, from what, for which folder.
struct PrepJob {
  std::string video_folder;
  std::string output_folder;
  PrepPart part;
  PrepRules rules;
  DatasetSettings settings;
  int threads = 0;         ///< per rank; 0: this rank's share of the machine
  bool reference = false;  ///< every op by its slow reference
  VaeTiling tiling;
};

/// Numbers of the shards of this job's part. Shard k holds videos [k n, (k + 1) n) of the scan, n being
/// settings.shard_maxcount, so that every part knows its shards without planning the others'.
[[nodiscard]] std::vector<std::int64_t> shards_of_part(const PrepJob& job, std::int64_t videos);

/// Removes what killed jobs left beside the given shards: drafts, and the lock files of MPI libraries. Only
/// the holder of the data set's lock may do so.
void remove_leftovers(const std::string& folder, const std::vector<std::int64_t>& shards);

/// Throws ConfigError or DataError unless shard `number`, which exists, was made with the job's settings from
/// these videos.
void check_existing_shard(const PrepJob& job, const std::vector<SourceFile>& videos, std::int64_t number);

/// What shard `number` is to hold; the ranks share the planning of its videos. Rank 0 has it, the others'
/// is empty. Collective.
[[nodiscard]] ShardPlan plan_shard(const Communicator& world, const PrepJob& job, const ModelParts& model,
                                   const std::vector<SourceFile>& videos, std::int64_t number);

/// Makes the job's shards that do not exist yet; rank 0 creates the files. Existing shards must have been
/// made with the same settings from the same videos, else ConfigError or DataError. Collective; returns false
/// if a stop was asked for in between.
[[nodiscard]] bool plan_shards(Runtime& runtime, const PrepJob& job, const ModelParts& model,
                               const std::vector<SourceFile>& videos);

}  // namespace wan
