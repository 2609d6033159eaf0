#include "prep/scan.hpp"

#include <algorithm>
#include <array>
#include <cctype>
#include <filesystem>

#include "base/error.hpp"

namespace wan {
namespace fs = std::filesystem;

namespace {

bool is_video(const fs::path& path) {
  std::string extension = path.extension().string();
  for (char& c : extension) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  constexpr std::array<const char*, 4> known{".mp4", ".mkv", ".webm", ".mov"};
  return std::find(known.begin(), known.end(), extension) != known.end();
}

template <class Iterator>
std::vector<SourceFile> collect(const std::string& folder) {
  std::vector<SourceFile> found;
  try {
    for (const fs::directory_entry& entry : Iterator(folder)) {
      std::error_code gone;
      if (!is_video(entry.path())) continue;
      // A link that leads nowhere is somebody's video that is not there: it is listed, and rejected later.
      const bool dangling = entry.is_symlink(gone) && !entry.exists(gone);
      if (!dangling && !entry.is_regular_file(gone)) continue;
      const auto bytes = dangling ? 0 : static_cast<std::int64_t>(entry.file_size(gone));
      if (!gone || dangling)
        found.push_back({entry.path().lexically_relative(folder).generic_string(), bytes});
    }
  } catch (const fs::filesystem_error& error) {
    throw IoError(folder, error.code().value(), "cannot list the videos");
  }
  return found;
}

}  // namespace

std::vector<SourceFile> scan_videos(const std::string& folder, bool recursive) {
  std::error_code error;
  if (!fs::is_directory(folder, error))
    throw NoInputError(folder, fs::exists(folder, error) ? "is no folder" : "there is no such folder");
  std::vector<SourceFile> found =
      recursive ? collect<fs::recursive_directory_iterator>(folder) : collect<fs::directory_iterator>(folder);
  if (found.empty()) {
    throw DataError(folder, std::string("holds no .mp4, .mkv, .webm or .mov file") +
                                (recursive ? "" : " (folders below it are searched with --recursive)"));
  }
  std::sort(found.begin(), found.end(), [](const auto& a, const auto& b) { return a.name < b.name; });
  return found;
}

}  // namespace wan
