#include "prep/shard_planning.hpp"

#include <algorithm>
#include <filesystem>
#include <set>
#include <utility>

#include "base/error.hpp"
#include "base/json.hpp"
#include "base/log.hpp"
#include "base/text.hpp"
#include "model/text/clean.hpp"
#include "prep/reject.hpp"

namespace wan {
namespace {

std::vector<SourceFile> videos_of_shard(const PrepJob& job, const std::vector<SourceFile>& videos,
                                        std::int64_t number) {
  const auto all = static_cast<std::int64_t>(videos.size());
  const std::int64_t first = std::min(number * job.settings.shard_maxcount, all);
  const std::int64_t end = std::min(first + job.settings.shard_maxcount, all);
  return {videos.begin() + first, videos.begin() + end};
}

/// What a rank found out about one video, as it travels to rank 0.
Json plan_or_reject(const PrepJob& job, const ModelParts& model, const std::string& source) {
  Json found;
  try {
    found.set("plan", to_json(plan_source(job.rules, model.tokenizer, job.video_folder, source)));
  } catch (const Reject& reject) {
    found.set("reject", reject_text(reject.reason, reject.detail, job.video_folder + "/" + source));
  }
  return found;
}

ShardPlan assemble(const PrepJob& job, const ModelParts& model, std::vector<SourceFile> videos,
                   std::int64_t video_count, const std::vector<Json>& found) {
  ShardPlan plan;
  plan.settings = to_yaml(job.settings);
  plan.dtype = job.settings.dtype;
  plan.text_width = model.text_encoder.d_model;
  plan.null_text_rows = static_cast<std::int64_t>(model.tokenizer.ids(clean_prompt("")).size());
  plan.video_count = video_count;
  for (std::size_t i = 0; i < videos.size(); ++i) {
    if (const Json* reject = found[i].find("reject")) {
      plan.rejections.push_back({videos[i].name, -1, reject->as_string()});
      continue;
    }
    const std::vector<Row> rows =
        rows_of(job.rules, model.vae, videos[i].name, source_plan_from_json(found[i].at("plan")));
    plan.table.rows.insert(plan.table.rows.end(), rows.begin(), rows.end());
  }
  plan.sources = std::move(videos);
  return plan;
}

/// The ranks share the videos; rank 0 gets all results in order.
std::vector<Json> plan_together(const Communicator& world, const PrepJob& job, const ModelParts& model,
                                const std::vector<SourceFile>& videos) {
  std::string text;
  do_together(world, [&] {
    Json mine = Json(Json::Array{});
    for (std::size_t i = static_cast<std::size_t>(world.rank()); i < videos.size();
         i += static_cast<std::size_t>(world.size())) {
      mine.push(plan_or_reject(job, model, videos[i].name));
    }
    text = mine.dump();
  });
  const std::vector<std::string> texts = gather_texts(world, text);
  std::vector<Json> found(videos.size());
  if (world.rank() != 0) return found;
  for (std::size_t rank = 0; rank < texts.size(); ++rank) {
    const Json results = Json::parse(texts[rank], "plan of another rank");
    for (std::size_t k = 0; k < results.as_array().size(); ++k) {
      found[rank + k * texts.size()] = results.as_array()[k];
    }
  }
  return found;
}

}  // namespace

std::vector<std::int64_t> shards_of_part(const PrepJob& job, std::int64_t videos) {
  const std::int64_t shards = (videos + job.settings.shard_maxcount - 1) / job.settings.shard_maxcount;
  std::vector<std::int64_t> own;
  for (std::int64_t number = job.part.part; number < shards; number += job.part.parts) own.push_back(number);
  return own;
}

void remove_leftovers(const std::string& folder, const std::vector<std::int64_t>& shards) {
  std::set<std::string> own;
  for (const std::int64_t number : shards) own.insert(shard_name(number));
  for (const auto& entry : std::filesystem::directory_iterator(folder + "/shards")) {
    // "latents-00012.h5" and more behind it: ".tmp" of ours, "-1-28702.lock" of Open MPI's shared file
    // pointers.
    const std::string name = "shards/" + entry.path().filename().string();
    const std::string shard = name.substr(0, name.find(".h5") + 3);
    if (name != shard && own.count(shard) == 1) std::filesystem::remove(entry.path());
  }
}

void check_existing_shard(const PrepJob& job, const std::vector<SourceFile>& videos, std::int64_t number) {
  const std::string path = job.output_folder + "/" + shard_name(number);
  const Shard shard = Shard::open_to_read(path);
  const DatasetSettings found = dataset_settings_from_yaml(shard.plan().settings, path);
  if (const std::string different = differences(found, job.settings); !different.empty()) {
    throw ConfigError("--output_dir", job.output_folder + " was begun with other settings: " + different +
                                          ". Use the same ones to continue, or another folder");
  }
  const std::vector<SourceFile>& then = shard.plan().sources;
  const std::vector<SourceFile> now = videos_of_shard(job, videos, number);
  const bool same =
      std::equal(then.begin(), then.end(), now.begin(), now.end(),
                 [](const auto& a, const auto& b) { return a.name == b.name && a.bytes == b.bytes; });
  if (!same || shard.plan().video_count != static_cast<std::int64_t>(videos.size())) {
    throw DataError(job.video_folder, "its videos are not those with which " + job.output_folder +
                                          " was begun. Use another output folder for the changed videos");
  }
}

ShardPlan plan_shard(const Communicator& world, const PrepJob& job, const ModelParts& model,
                     const std::vector<SourceFile>& videos, std::int64_t number) {
  const std::vector<SourceFile> part = videos_of_shard(job, videos, number);
  const std::vector<Json> found = plan_together(world, job, model, part);
  ShardPlan plan;
  do_together(world, [&] {
    if (world.rank() == 0) plan = assemble(job, model, part, static_cast<std::int64_t>(videos.size()), found);
  });
  return plan;
}

bool plan_shards(Runtime& runtime, const PrepJob& job, const ModelParts& model,
                 const std::vector<SourceFile>& videos) {
  const Communicator& world = runtime.world();
  const std::vector<std::int64_t> own = shards_of_part(job, static_cast<std::int64_t>(videos.size()));
  std::int64_t made = 0;
  for (const std::int64_t number : own) {
    if (max_over(world, std::int64_t{runtime.signals().stop_asked() ? 1 : 0}) != 0) return false;
    std::int64_t exists = 0;
    do_together(world, [&] {
      if (world.rank() != 0 || !std::filesystem::exists(job.output_folder + "/" + shard_name(number))) return;
      check_existing_shard(job, videos, number);
      exists = 1;
    });
    if (max_over(world, exists) != 0) continue;
    ShardPlan plan = plan_shard(world, job, model, videos, number);
    do_together(world, [&] {
      if (world.rank() != 0) return;
      create_shard(job.output_folder, number, std::move(plan));
      log::info(cat("planned ", shard_name(number), ", ", ++made, " of ", own.size()));
    });
  }
  return true;
}

}  // namespace wan
