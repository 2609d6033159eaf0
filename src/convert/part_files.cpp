#include "convert/part_files.hpp"

#include <filesystem>

#include "base/error.hpp"
#include "base/file.hpp"

namespace wan {
namespace fs = std::filesystem;

void put_file(const std::string& from, const std::string& to) {
  std::error_code error;
  const fs::path real = fs::canonical(from, error);
  if (error) throw NoInputError(from, error.message());
  fs::create_hard_link(real, to, error);
  if (!error) return;
  fs::copy_file(real, to, error);
  if (error) throw IoError(to, error.value(), "cannot copy " + from);
  sync_path(to);
}

void put_files(const std::string& from, const std::string& to) {
  make_folders(to);
  std::error_code error;
  fs::directory_iterator entry(from, error);
  if (error) throw NoInputError(from, error.message());
  for (; !error && entry != fs::directory_iterator(); entry.increment(error)) {
    if (entry->is_regular_file()) put_file(entry->path(), fs::path(to) / entry->path().filename());
  }
  if (error) throw IoError(from, error.value(), "cannot list");
}

}  // namespace wan
