#include "prep/preview.hpp"

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "base/text.hpp"
#include "comm/agree.hpp"
#include "prep/finish.hpp"
#include "prep/prep_memory.hpp"
#include "prep/prep_settings.hpp"
#include "prep/prep_start.hpp"
#include "prep/shard_windows.hpp"
#include "weights/weight_set.hpp"

namespace wan {
namespace fs = std::filesystem;

namespace {

/// Lines told of one kind; a folder may hold thousands of videos.
constexpr std::size_t lines_told = 20;

using ClipSize = std::tuple<std::int64_t, std::int64_t, std::int64_t>;  ///< frames, height, width

/// What is there and what is to do. Rank 0's is whole.
struct Findings {
  std::int64_t shards_there = 0;
  std::int64_t done = 0;
  std::int64_t rejected_clips = 0;    ///< when they were decoded
  std::vector<Rejection> rejections;  ///< before
  std::map<ClipSize, std::int64_t> pending;

  [[nodiscard]] std::int64_t to_encode() const {
    std::int64_t sum = 0;
    for (const auto& [size, count] : pending) sum += count;
    return sum;
  }
};

void add(Findings& findings, const ShardPlan& plan, const std::vector<RowState>& states) {
  findings.rejections.insert(findings.rejections.end(), plan.rejections.begin(), plan.rejections.end());
  for (std::size_t i = 0; i < states.size(); ++i) {
    const Row& row = plan.table.rows[i];
    if (states[i] == RowState::done) ++findings.done;
    if (states[i] == RowState::rejected) ++findings.rejected_clips;
    if (states[i] == RowState::empty) ++findings.pending[{row.frame_count, row.height, row.width}];
  }
}

/// True if the shard was there. Collective.
bool add_existing(const Communicator& world, const PrepJob& job, const std::vector<SourceFile>& videos,
                  std::int64_t number, Findings& findings) {
  std::int64_t exists = 0;
  do_together(world, [&] {
    if (world.rank() != 0 || !fs::exists(job.output_folder + "/" + shard_name(number))) return;
    check_existing_shard(job, videos, number);
    const Shard shard = read_shard(job, number);
    add(findings, shard.plan(), shard.states());
    exists = 1;
  });
  return max_over(world, exists) != 0;
}

/// None if a stop was asked for. Collective.
std::optional<Findings> find_out(Runtime& runtime, const PrepJob& job, const ModelParts& model,
                                 const std::vector<SourceFile>& videos,
                                 const std::vector<std::int64_t>& shards) {
  const Communicator& world = runtime.world();
  Findings findings;
  for (const std::int64_t number : shards) {
    if (max_over(world, std::int64_t{runtime.signals().stop_asked() ? 1 : 0}) != 0) return std::nullopt;
    if (add_existing(world, job, videos, number, findings)) {
      ++findings.shards_there;
      continue;
    }
    const ShardPlan plan = plan_shard(world, job, model, videos, number);
    add(findings, plan, std::vector<RowState>(plan.table.rows.size(), RowState::empty));
  }
  return findings;
}

void say_some(const Runtime& runtime, const std::vector<std::string>& lines) {
  const std::size_t told = std::min(lines.size(), lines_told);
  for (std::size_t i = 0; i < told; ++i) say(runtime, lines[i]);
  if (told < lines.size()) say(runtime, cat("and ", lines.size() - told, " more like these"));
}

std::vector<std::string> lines_of(const std::vector<Rejection>& rejections) {
  std::vector<std::string> lines;
  for (const Rejection& rejection : rejections)
    lines.push_back(cat("rejected: ", rejection.source, ": ", rejection.reason));
  return lines;
}

std::vector<std::string> lines_of(const std::map<ClipSize, std::int64_t>& clips) {
  std::vector<std::string> lines;
  for (const auto& [size, count] : clips) {
    const auto& [frames, height, width] = size;
    lines.push_back(cat("to encode: ", count, count == 1 ? " clip of " : " clips of ", frames,
                        frames == 1 ? " frame, " : " frames, ", height, " high × ", width, " wide"));
  }
  return lines;
}

std::vector<FrameSize> frame_sizes(const std::map<ClipSize, std::int64_t>& clips) {
  std::set<std::pair<std::int64_t, std::int64_t>> seen;
  for (const auto& [size, count] : clips) seen.emplace(std::get<1>(size), std::get<2>(size));
  std::vector<FrameSize> sizes;
  for (const auto& [height, width] : seen) sizes.push_back({height, width});
  return sizes;
}

/// Throws CreateError unless the folder, or the nearest one above it that is there, takes new files.
void require_creatable(const std::string& folder) {
  fs::path there = fs::absolute(folder).lexically_normal();
  std::error_code error;
  while (!fs::exists(there, error) && there.has_relative_path()) there = there.parent_path();
  if (!fs::is_directory(there, error)) throw CreateError(folder, there.string() + " is no folder");
  if (::access(there.c_str(), W_OK | X_OK) != 0)
    throw CreateError(folder, cat(there.string(), ": ", std::strerror(errno)));
}

/// True if a data set or a shard of one is there. Collective.
bool holds_output(const Communicator& world, const std::string& folder) {
  std::int64_t holds = 0;
  do_together(world, [&] {
    std::error_code none;
    holds = has_dataset_info(folder) || fs::is_directory(folder + "/shards", none) ? 1 : 0;
  });
  return max_over(world, holds) != 0;
}

/// As a run reads them; where hashes have nothing to be compared with, it is only seen that weights are
/// there: hashing takes minutes.
ModelParts read_parts(const Communicator& world, const PrepOptions& options) {
  PartsWeights weights{seed_of(options.random_weights), options.encoder_dtype};
  weights.hashed = holds_output(world, options.output_dir);
  ModelParts model = read_model_parts(world, options.model, weights);
  if (weights.hashed || weights.random_seed) return model;
  do_together(world, [&] {
    for (const char* component : {"/vae", "/text_encoder"})
      (void)WeightSet::open_component(model.folder + component);
  });
  return model;
}

void tell(const Runtime& runtime, const PrepJob& job, const ModelParts& model, const Findings& findings,
          std::size_t shards) {
  say(runtime, cat("shards: ", findings.shards_there, " of ", shards, " are there, ",
                   static_cast<std::int64_t>(shards) - findings.shards_there, " to make"));
  say(runtime,
      cat("clips: ", findings.done, " done, ", findings.rejected_clips, " rejected, ", findings.to_encode(),
          " to encode; videos rejected before decoding: ", findings.rejections.size()));
  say_some(runtime, lines_of(findings.rejections));
  say_some(runtime, lines_of(findings.pending));
  if (!findings.pending.empty())
    say(runtime, to_text(plan_prep_memory(model, job.tiling, frame_sizes(findings.pending))));
  say(runtime, cat("then all is read back", job.part.whole() ? " and joined" : "; --finalize joins the parts",
                   ". This was a dry run: nothing was written"));
}

ExitCode preview_prepare(Runtime& runtime, const PrepOptions& options) {
  const Communicator& world = runtime.world();
  const ModelParts model = read_parts(world, options);
  const PrepJob job = prep_job(options, model);
  say(runtime, cat("model: ", model.folder, "\n", describe(job.settings)));
  if (is_finished(world, job, options.recursive)) {
    say(runtime, job.output_folder + " is a finished data set already; nothing to do");
    return ExitCode::done;
  }
  const std::vector<SourceFile> videos = scan_together(world, options);
  do_together(world, [&] { require_creatable(job.output_folder); });
  const std::vector<std::int64_t> shards = shards_of_part(job, static_cast<std::int64_t>(videos.size()));
  say(runtime, cat(videos.size(), " videos, ", shards.size(), " shards in this job"));
  const std::optional<Findings> findings = find_out(runtime, job, model, videos, shards);
  if (!findings) return ExitCode::requeue;
  do_together(world, [&] {
    if (runtime.rank() != 0) return;
    tell(runtime, job, model, *findings, shards.size());
    if (job.part.whole() && findings->done + findings->to_encode() == 0)
      throw DataError(job.video_folder, "no clip at all is usable; the reasons are listed above");
  });
  return ExitCode::done;
}

ExitCode preview_finalize(Runtime& runtime, const PrepOptions& options) {
  const Communicator& world = runtime.world();
  if (is_joined(world, options.output_dir)) {
    say(runtime, options.output_dir + " is a finished data set already; nothing to do");
    return ExitCode::done;
  }
  do_together(world, [&] { require_creatable(options.output_dir); });
  say(runtime, preview_finish(world, options.output_dir));
  say(runtime, "This was a dry run: nothing was written");
  return ExitCode::done;
}

}  // namespace

ExitCode preview_prep(Runtime& runtime, const PrepOptions& options) {
  return options.finalize ? preview_finalize(runtime, options) : preview_prepare(runtime, options);
}

}  // namespace wan
