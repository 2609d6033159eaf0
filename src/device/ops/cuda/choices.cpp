#include "device/ops/cuda/choices.hpp"

#include <cublasLt.h>
#include <cudnn.h>

#include <cstdlib>
#include <filesystem>
#include <sstream>

#include "base/error.hpp"
#include "base/file.hpp"
#include "base/log.hpp"
#include "base/text.hpp"

namespace wan::cuda {
namespace {

/// Adds the file's lines "key tab value" to those known; others are passed over.
void add_lines(const std::string& path, std::map<std::string, std::string>& known) {
  if (path.empty() || !std::filesystem::exists(path)) return;
  std::istringstream text(read_file(path));
  for (std::string line; std::getline(text, line);) {
    const std::size_t tab = line.find('\t');
    if (tab != std::string::npos) known.emplace(line.substr(0, tab), line.substr(tab + 1));
  }
}

}  // namespace

Choices::Choices(std::string path, bool race_all) : path_(std::move(path)), race_all_(race_all) {
  try {
    add_lines(path_, known_);
  } catch (const Error& error) {
    log::warn(cat("kernels are chosen anew: ", error.what()));
  }
}

Choices::~Choices() {
  if (path_.empty() || !is_new_) return;
  try {
    make_folders(std::filesystem::path(path_).parent_path().string());
    add_lines(path_, known_);
    std::string text;
    for (const auto& [key, value] : known_) text += cat(key, "\t", value, "\n");
    write_file_atomically(path_, text);
  } catch (const std::exception& error) {
    log::warn(cat("the next process will choose its kernels anew: ", error.what()));
  }
}

std::optional<std::string> Choices::find(const std::string& key) const {
  const auto found = known_.find(key);
  if (found == known_.end()) return std::nullopt;
  return found->second;
}

void Choices::keep(const std::string& key, const std::string& value) {
  known_[key] = value;
  is_new_ = true;
}

std::string choices_path(const std::string& gpu_name) {
  const char* const cache = std::getenv("XDG_CACHE_HOME");
  const char* const home = std::getenv("HOME");
  if (cache == nullptr && home == nullptr) return {};
  const std::filesystem::path folder =
      cache != nullptr ? std::filesystem::path(cache) : std::filesystem::path(home) / ".cache";
  std::string gpu = gpu_name;
  for (char& c : gpu) {
    if (c == ' ' || c == '/') c = '_';
  }
  const std::string name =
      cat("kernels-", gpu, "-cublaslt", cublasLtGetVersion(), "-cudnn", cudnnGetVersion(), ".txt");
  return (folder / "wan" / name).string();
}

}  // namespace wan::cuda
