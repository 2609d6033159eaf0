#include "checkpoint/names.hpp"

#include <algorithm>
#include <cstdio>
#include <filesystem>

#include "base/error.hpp"
#include "base/file.hpp"
#include "base/log.hpp"
#include "base/text.hpp"

namespace wan::checkpoint {
namespace {

namespace fs = std::filesystem;
constexpr const char* prefix = "iter_";
constexpr const char* unfinished = ".tmp.";
constexpr const char* aside = ".aside.";

std::vector<std::string> names_in(const std::string& folder) {
  std::vector<std::string> names;
  std::error_code error;
  for (fs::directory_iterator next(folder, error), end; !error && next != end; next.increment(error)) {
    names.push_back(next->path().filename().string());
  }
  return names;
}

void remove_tree(const std::string& path) {
  std::error_code error;
  fs::remove_all(path, error);
  if (error) throw IoError(path, error.value(), "cannot remove");
}

}  // namespace

std::string iteration_name(std::int64_t step) {
  char name[32];
  std::snprintf(name, sizeof name, "%s%07lld", prefix, static_cast<long long>(step));
  return name;
}

std::optional<std::int64_t> step_of(const std::string& name) {
  if (name.rfind(prefix, 0) != 0) return std::nullopt;
  const std::string digits = name.substr(std::string(prefix).size());
  constexpr std::size_t most_digits = 18;
  if (digits.empty() || digits.size() > most_digits) return std::nullopt;
  if (digits.find_first_not_of("0123456789") != std::string::npos) return std::nullopt;
  const std::int64_t step = std::stoll(digits);
  if (iteration_name(step) != name) return std::nullopt;
  return step;
}

std::vector<std::int64_t> iterations_in(const std::string& run) {
  std::vector<std::int64_t> steps;
  for (const std::string& name : names_in(run)) {
    if (const std::optional<std::int64_t> step = step_of(name)) steps.push_back(*step);
  }
  std::sort(steps.rbegin(), steps.rend());
  return steps;
}

void remove_iteration(const std::string& run, std::int64_t step) {
  const std::string path = run + "/" + iteration_name(step);
  const std::string removed = path + unfinished + "removed";
  remove_tree(removed);
  std::error_code error;
  fs::rename(path, removed, error);
  if (error) throw IoError(path, error.value(), "cannot rename before removal");
  remove_tree(removed);
}

std::vector<std::int64_t> set_later_aside(const std::string& run, std::int64_t step) {
  std::vector<std::int64_t> moved;
  for (const std::int64_t later : iterations_in(run)) {
    if (later <= step) break;
    const std::string path = run + "/" + iteration_name(later);
    int number = 1;
    while (fs::exists(cat(path, aside, number))) ++number;
    std::error_code error;
    fs::rename(path, cat(path, aside, number), error);
    if (error) throw IoError(path, error.value(), "cannot rename to set it aside");
    moved.push_back(later);
  }
  if (!moved.empty()) write_file_atomically(run + "/" + tracker_name, cat(step, "\n"));
  return moved;
}

void remove_leftovers(const std::string& run) {
  for (const std::string& name : names_in(run)) {
    const std::size_t cut = name.find(unfinished);
    if (cut == std::string::npos) continue;
    const std::string final_name = name.substr(0, cut);
    if (final_name != tracker_name && !step_of(final_name)) continue;
    log::info(cat(run, "/", name, ": removed, it was never finished"));
    remove_tree(run + "/" + name);
  }
}

}  // namespace wan::checkpoint
