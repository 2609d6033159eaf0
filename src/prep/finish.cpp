#include "prep/finish.hpp"

#include <algorithm>
#include <filesystem>

#include "base/error.hpp"
#include "base/file.hpp"
#include "base/log.hpp"
#include "base/text.hpp"
#include "comm/agree.hpp"
#include "data/dataset_info.hpp"
#include "data/index.hpp"
#include "data/shard.hpp"
#include "prep/rejects_csv.hpp"

namespace wan {
namespace {

/// All that the joint files tell.
struct Joint {
  DatasetInfo info;
  Index index;
  std::vector<Rejection> rejections;
};

/// Without its hash.
DataFile file_of(const std::string& folder, const std::string& name) {
  return {name, static_cast<std::int64_t>(std::filesystem::file_size(folder + "/" + name)), Hash128()};
}

std::string hint(std::int64_t number) {
  return cat("shard ", number, " is not finished: run its part of the job (part ", number,
             " mod N of N) first");
}

void add_rejections(Joint& joint, const Shard& shard, const std::vector<RowState>& states) {
  std::vector<Rejection> all = shard.plan().rejections;
  for (std::size_t i = 0; i < states.size(); ++i) {
    if (states[i] != RowState::rejected) continue;
    const Row& row = shard.plan().table.rows[i];
    all.push_back({row.source, row.frame_start, shard.reject_reason(static_cast<std::int64_t>(i))});
  }
  std::sort(all.begin(), all.end(), [](const Rejection& a, const Rejection& b) {
    return a.source != b.source ? a.source < b.source : a.frame_start < b.frame_start;
  });
  joint.rejections.insert(joint.rejections.end(), all.begin(), all.end());
}

Joint join_shards(const std::string& folder) {
  Joint joint;
  std::int64_t shards = 1;
  for (std::int64_t number = 0; number < shards; ++number) {
    const std::string path = folder + "/" + shard_name(number);
    if (!std::filesystem::exists(path)) throw DataError(path, hint(number));
    const Shard shard = Shard::open_to_read(path);
    const DatasetSettings settings = dataset_settings_from_yaml(shard.plan().settings, path);
    if (number == 0) {
      joint.info.settings = settings;
      joint.info.text_width = shard.plan().text_width;
      const std::int64_t most = std::max<std::int64_t>(1, settings.shard_maxcount);
      shards = (shard.plan().video_count + most - 1) / most;
    }
    if (const std::string different = differences(settings, joint.info.settings); !different.empty()) {
      throw DataError(path, "was made with other settings than shard 0: " + different);
    }
    const std::vector<RowState> states = shard.states();
    if (std::find(states.begin(), states.end(), RowState::empty) != states.end())
      throw DataError(path, hint(number));
    append_finished_rows(joint.index.table, shard);
    // A shard without rows has none.
    if (shard.rows() > 0) joint.index.null_text = shard.null_text();
    add_rejections(joint, shard, states);
    joint.info.shards.push_back(file_of(folder, shard_name(number)));
  }
  joint.info.rejected = static_cast<std::int64_t>(joint.rejections.size());
  for (const Row& row : joint.index.table.rows) ++joint.info.rows[static_cast<std::size_t>(row.split)];
  return joint;
}

/// Each rank hashes its share of the shard files; all get all hashes.
void hash_shards(const Communicator& world, const std::string& folder, DatasetInfo& info) {
  std::string mine;
  const auto ranks = static_cast<std::size_t>(world.size());
  do_together(world, [&] {
    for (std::size_t i = static_cast<std::size_t>(world.rank()); i < info.shards.size(); i += ranks) {
      mine += to_hex(file_hash(folder + "/" + info.shards[i].name)) + "\n";
    }
  });
  const std::vector<std::string> all = gather_texts(world, mine);
  for (std::size_t i = 0; i < info.shards.size(); ++i) {
    info.shards[i].hash = hash_from_hex(split(all[i % ranks], '\n')[i / ranks], "shard hash");
  }
}

std::string what_it_holds(const std::string& folder, const DatasetInfo& info) {
  const auto rows = [&](Split split) { return info.rows[static_cast<std::size_t>(split)]; };
  return cat("data set ", folder, ": ", rows(Split::train), " train, ", rows(Split::validation),
             " validation, ", rows(Split::test), " test clips in ", info.shards.size(), " shards, ",
             info.rejected, " rejects");
}

void say_what_it_holds(const std::string& folder, const DatasetInfo& info) {
  log::info(what_it_holds(folder, info));
  if (info.rows[static_cast<std::size_t>(Split::train)] == 0) {
    log::warn(
        "no clip is in the train split, nothing can be trained on: videos are dealt by a hash of their name. "
        "Few videos need --split 1,0,0");
  }
}

void remove_shards(const std::string& folder, const DatasetInfo& info) {
  for (const DataFile& shard : info.shards) std::filesystem::remove(folder + "/" + shard.name);
}

/// Drafts of the joint files that killed jobs left.
void remove_drafts(const std::string& folder) {
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    const std::string name = entry.path().filename().string();
    for (const char* final_name : {"rejects.csv", "index.h5", "dataset.yaml"}) {
      if (name.rfind(std::string(final_name) + ".tmp", 0) == 0) std::filesystem::remove(entry.path());
    }
  }
}

}  // namespace

void finish_dataset(const Communicator& world, const std::string& folder) {
  Joint joint;
  do_together(world, [&] { joint = join_shards(folder); });
  hash_shards(world, folder, joint.info);
  do_together(world, [&] {
    if (world.rank() != 0) return;
    remove_drafts(folder);
    write_rejects_csv(folder + "/rejects.csv", joint.rejections);
    if (joint.index.table.rows.empty()) {
      remove_shards(folder, joint.info);
      throw DataError(folder + "/rejects.csv", "no clip at all is usable; the reasons are listed there");
    }
    write_index(folder, joint.index, joint.info.settings.dtype);
    joint.info.index = file_of(folder, "index.h5");
    joint.info.index.hash = file_hash(folder + "/index.h5");
    write_dataset_info(folder, joint.info);
    say_what_it_holds(folder, joint.info);
  });
}

std::string preview_finish(const Communicator& world, const std::string& folder) {
  Joint joint;
  do_together(world, [&] {
    joint = join_shards(folder);
    if (joint.index.table.rows.empty()) throw DataError(folder, "no clip at all is usable");
  });
  return what_it_holds(folder, joint.info);
}

}  // namespace wan
