#include "support/prep_runs.hpp"

#include <filesystem>

#include "base/file.hpp"
#include "base/hash.hpp"
#include "base/json.hpp"
#include "media/writer.hpp"

namespace wan::test {
namespace fs = std::filesystem;

void draw_video(const std::string& folder, const std::string& name, const DrawnVideo& video,
                const std::string& caption) {
  const fs::path path = fs::path(folder) / name;
  make_folders(path.parent_path().string());
  VideoWriter writer(path.string(), video.width, video.height, video.rate);
  for (std::int64_t frame = 0; frame < video.frames; ++frame) {
    Image image(video.width, video.height);
    for (std::int64_t y = 0; y < video.height; ++y) {
      for (std::int64_t x = 0; x < video.width * 3; ++x) {
        // Cells of 8 pixels, so that the codec keeps them.
        const std::int64_t cell = (x / 24 + frame) % 64 + 64 * (y / 8);
        image.row(y)[x] =
            static_cast<std::uint8_t>(mix64(video.seed << 20 | static_cast<std::uint64_t>(cell)));
      }
    }
    writer.add(image);
  }
  writer.finish();
  if (caption.empty()) return;
  Json json;
  json.set("caption", caption);
  write_file_atomically(fs::path(path).replace_extension(".json").string(), json.dump());
}

std::vector<std::string> prep_command(int ranks, const std::string& videos, const std::string& output,
                                      const std::vector<std::string>& flags) {
  std::vector<std::string> words{WAN_PREP,
                                 "--video_folder",
                                 videos,
                                 "--output_dir",
                                 output,
                                 "--model",
                                 std::string(WAN_SOURCE_DIR) + "/inputs/demo/model"};
  words.insert(words.end(), flags.begin(), flags.end());
  return on_ranks(ranks, words);
}

CommandResult run_prep_command(int ranks, const std::string& videos, const std::string& output,
                               const std::vector<std::string>& flags) {
  return run_command(prep_command(ranks, videos, output, flags));
}

std::map<std::string, std::string> dataset_bytes(const std::string& folder) {
  std::map<std::string, std::string> bytes;
  for (const auto& entry : fs::recursive_directory_iterator(folder)) {
    const std::string name = entry.path().lexically_relative(folder).string();
    if (!entry.is_regular_file() || name.rfind("locks/", 0) == 0) continue;
    bytes[name] = to_hex(file_hash(entry.path().string()));
  }
  return bytes;
}

}  // namespace wan::test
