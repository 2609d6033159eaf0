#include "prep/prep_job.hpp"

#include <filesystem>
#include <memory>
#include <optional>

#include "base/error.hpp"
#include "base/file.hpp"
#include "base/log.hpp"
#include "base/text.hpp"
#include "data/dataset_info.hpp"
#include "device/open_device.hpp"
#include "prep/encode_pass.hpp"
#include "prep/finish.hpp"
#include "prep/prep_settings.hpp"
#include "prep/scan.hpp"
#include "prep/text_pass.hpp"

namespace wan {
namespace {

/// Rows that differ when they are read back are encoded anew this often before the disk is given up.
constexpr int verify_rounds = 2;

void say(const Runtime& runtime, const std::string& text) {
  if (runtime.rank() != 0) return;
  for (const std::string& line : split(text, '\n')) log::info(line);
}

/// Rank 0's scan, on all ranks.
std::vector<SourceFile> scan_together(const Communicator& world, const PrepOptions& options) {
  // File names hold any byte but zero.
  constexpr char separator = '\0';
  std::string text;
  do_together(world, [&] {
    if (world.rank() != 0) return;
    for (const SourceFile& video : scan_videos(options.video_folder, options.recursive)) {
      text += cat(video.name, separator, video.bytes, separator);
    }
  });
  const std::vector<std::string> words = split(broadcast_text(world, text), separator);
  std::vector<SourceFile> videos;
  for (std::size_t i = 0; i + 1 < words.size(); i += 2)
    videos.push_back({words[i], std::stoll(words[i + 1])});
  return videos;
}

/// Throws DataError if a finished data set was made from other videos than those that are there now. All of
/// them may have been removed since.
void check_videos_of_finished(const PrepJob& job, const DatasetInfo& info, bool recursive) {
  std::vector<SourceFile> videos;
  try {
    videos = scan_videos(job.video_folder, recursive);
  } catch (const NoInputError&) {
    return;
  } catch (const DataError&) {
    return;
  }
  for (std::size_t number = 0; number < info.shards.size(); ++number)
    check_existing_shard(job, videos, static_cast<std::int64_t>(number));
}

/// True if the folder's data set is finished. ConfigError if it was made with other settings, DataError if
/// from other videos.
bool is_finished(const Communicator& world, const PrepJob& job, bool recursive) {
  bool finished = false;
  do_together(world, [&] {
    if (!has_dataset_info(job.output_folder)) return;
    const DatasetInfo info = read_dataset_info(job.output_folder);
    if (const std::string different = differences(info.settings, job.settings); !different.empty()) {
      throw ConfigError("--output_dir",
                        job.output_folder + " holds a data set made with other settings: " + different);
    }
    if (world.rank() == 0) check_videos_of_finished(job, info, recursive);
    finished = true;
  });
  return finished;
}

std::optional<DatasetLock> lock_together(const Communicator& world, const std::string& folder,
                                         const PrepPart& part) {
  std::optional<DatasetLock> lock;
  do_together(world, [&] {
    if (world.rank() != 0) return;
    make_folders(folder + "/shards");
    lock.emplace(folder, part);
  });
  return lock;
}

/// Until every row of the shards is done or rejected and reads back as it was written; false if a stop was
/// asked for.
bool encode_rows(Runtime& runtime, const PrepJob& job, const ModelParts& model,
                 const std::vector<std::int64_t>& shards) {
  DeviceOptions options;
  options.threads = runtime.threads(job.threads);
  options.reference = job.reference;
  options.index = runtime.local_rank();
  const std::unique_ptr<Device> device = open_device(options);
  EncodeCosts costs;
  for (int round = 0; round <= verify_rounds; ++round) {
    if (encode_texts(runtime, *device, job, model, shards, costs) == PassResult::stopped ||
        encode_clips(runtime, *device, job, model, shards, costs) == PassResult::stopped) {
      return false;
    }
    const std::optional<std::int64_t> differing = verify_shards(runtime, job, shards);
    if (!differing) return false;
    if (*differing == 0) return true;
  }
  throw IoError(job.output_folder, 0, "rows read back differ from what was written");
}

ExitCode prepare(Runtime& runtime, const PrepOptions& options) {
  const Communicator& world = runtime.world();
  const ModelParts model =
      read_model_parts(world, options.model, {seed_of(options.random_weights), options.encoder_dtype});
  PrepJob job{
      options.video_folder, options.output_dir,          {options.part, options.parts},
      rules_of(options),    settings_of(options, model), static_cast<int>(options.threads.value_or(0)),
      options.reference,    options.vae_tiling};
  say(runtime, describe(job.settings));
  if (is_finished(world, job, options.recursive)) {
    say(runtime, job.output_folder + " is a finished data set already; nothing to do");
    return ExitCode::done;
  }
  const std::vector<SourceFile> videos = scan_together(world, options);
  const auto lock = lock_together(world, job.output_folder, job.part);
  // The job that held the lock before may have finished meanwhile.
  if (is_finished(world, job, options.recursive)) {
    say(runtime, job.output_folder + " was finished by another job; nothing to do");
    return ExitCode::done;
  }
  const std::vector<std::int64_t> shards = shards_of_part(job, static_cast<std::int64_t>(videos.size()));
  do_together(world, [&] {
    if (runtime.rank() == 0) remove_leftovers(job.output_folder, shards);
  });
  say(runtime, cat(videos.size(), " videos, ", shards.size(), " shards to make in this job"));
  if (!plan_shards(runtime, job, model, videos)) return ExitCode::requeue;
  if (!encode_rows(runtime, job, model, shards)) {
    say(runtime, "stopped on request; start the job again to continue");
    return ExitCode::requeue;
  }
  if (job.part.whole()) finish_dataset(world, job.output_folder);
  return ExitCode::done;
}

ExitCode finalize(Runtime& runtime, const PrepOptions& options) {
  const Communicator& world = runtime.world();
  do_together(world, [&] {
    if (!std::filesystem::is_directory(options.output_dir + "/shards"))
      throw NoInputError(options.output_dir, "holds no part of a data set");
  });
  // As a whole job: no part may be written meanwhile.
  const auto lock = lock_together(world, options.output_dir, PrepPart());
  std::int64_t finished = 0;
  do_together(world, [&] { finished = has_dataset_info(options.output_dir) ? 1 : 0; });
  if (max_over(world, finished) != 0) {
    say(runtime, options.output_dir + " is a finished data set already; nothing to do");
    return ExitCode::done;
  }
  finish_dataset(world, options.output_dir);
  return ExitCode::done;
}

}  // namespace

ExitCode run_prep(Runtime& runtime, const PrepOptions& options) {
  return options.finalize ? finalize(runtime, options) : prepare(runtime, options);
}

}  // namespace wan
