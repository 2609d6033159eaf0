#include "prep/dataset_lock.hpp"

#include <filesystem>
#include <optional>

#include "base/file.hpp"
#include "base/text.hpp"
#include "config/value.hpp"

namespace wan {
namespace {

/// "part-3-of-8"
std::string lock_name(const PrepPart& part) {
  return cat("part-", part.part, "-of-", part.parts);
}

/// A killed job's processes may still be ending; another job works for hours, and is not waited for.
LockOptions lock_options() {
  LockOptions options;
  options.wait_s = 2;
  return options;
}

std::optional<PrepPart> part_of_name(const std::string& name) {
  const std::vector<std::string> words = split(name, '-');
  if (words.size() != 4 || words[0] != "part" || words[2] != "of") return std::nullopt;
  const auto part = as_integer({words[1], false, false, {}});
  const auto parts = as_integer({words[3], false, false, {}});
  if (!part || !parts) return std::nullopt;
  return PrepPart{*part, *parts};
}

}  // namespace

DatasetLock::DatasetLock(const std::string& folder, const PrepPart& part) {
  const std::string locks = folder + "/locks";
  make_folders(locks);
  lock_ = std::make_unique<RunLock>(locks + "/" + lock_name(part), this_process(), lock_options());
  // With its own lock held, this job may look at others': of two that start at once, at least one sees the
  // other.
  for (const auto& entry : std::filesystem::directory_iterator(locks)) {
    const std::optional<PrepPart> other = part_of_name(entry.path().filename().string());
    if (!other || lock_name(*other) == lock_name(part) || !part.meets(*other)) continue;
    const RunLock probe(entry.path().string(), this_process(), lock_options());
  }
}

}  // namespace wan
