#include "prep/prep_start.hpp"

#include <filesystem>

#include "base/error.hpp"
#include "base/log.hpp"
#include "base/text.hpp"
#include "comm/agree.hpp"
#include "prep/prep_settings.hpp"
#include "prep/scan.hpp"

namespace wan {
namespace {

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

}  // namespace

void say(const Runtime& runtime, const std::string& text) {
  if (runtime.rank() != 0) return;
  for (const std::string& line : split(text, '\n')) log::info(line);
}

PrepJob prep_job(const PrepOptions& options, const ModelParts& model) {
  return {options.video_folder, options.output_dir,          {options.part, options.parts},
          rules_of(options),    settings_of(options, model), static_cast<int>(options.threads.value_or(0)),
          options.reference,    options.vae_tiling};
}

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

bool is_joined(const Communicator& world, const std::string& folder) {
  std::int64_t joined = 0;
  do_together(world, [&] {
    if (!std::filesystem::is_directory(folder + "/shards"))
      throw NoInputError(folder, "holds no part of a data set");
    joined = has_dataset_info(folder) ? 1 : 0;
  });
  return max_over(world, joined) != 0;
}

}  // namespace wan
