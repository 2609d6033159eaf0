#include "train/metrics_log.hpp"

#include <filesystem>

#include "base/error.hpp"
#include "base/file.hpp"
#include "base/log.hpp"
#include "base/text.hpp"

namespace wan {
namespace {

/// The step of a complete line, or -1 for one that was cut or is no object.
std::int64_t step_of(const std::string& line, const std::string& path) {
  try {
    return Json::parse(line, path).at("step").as_integer();
  } catch (const Error&) {
    return -1;
  }
}

void drop_later_lines(const std::string& path, std::int64_t last_step) {
  if (!std::filesystem::exists(path)) return;
  const std::string before = read_file(path);
  std::string kept;
  std::int64_t dropped = 0;
  for (const std::string& line : split(before, '\n')) {
    if (line.empty()) continue;
    const std::int64_t step = step_of(line, path);
    if (step < 0 || step > last_step) {
      ++dropped;
    } else {
      kept += line + "\n";
    }
  }
  if (dropped > 0) {
    log::info(cat(path, ": dropped ", dropped, " lines of steps after ", last_step, ", which run again"));
  }
  // A write may also have ended just before the end of a line that is kept.
  if (kept != before) write_file_atomically(path, kept);
}

/// The file after what a stopped run left there too much is gone.
const std::string& shortened(const std::string& path, std::int64_t last_step) {
  drop_later_lines(path, last_step);
  return path;
}

}  // namespace

MetricsLog::MetricsLog(const std::string& run_folder, const std::string& tensorboard_folder,
                       std::int64_t last_step)
    : lines_(shortened(run_folder + "/metrics.jsonl", last_step)),
      events_(tensorboard_folder, last_step + 1) {}

void MetricsLog::add(const std::string& group, const Json& values) {
  Json line;
  line.set("kind", group);
  for (const auto& [key, value] : values.as_object()) line.set(key, value);
  lines_.add(line.dump() + "\n");
  lines_.flush();
  const std::int64_t step = values.at("step").as_integer();
  for (const auto& [key, value] : values.as_object()) {
    if (key != "step" && value.is_number()) events_.scalar(cat(group, "/", key), step, value.as_number());
  }
  events_.flush();
}

}  // namespace wan
