#include "convert/draft_folder.hpp"

#include <fcntl.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <utility>

#include "base/error.hpp"
#include "base/file.hpp"

namespace wan {
namespace fs = std::filesystem;

namespace {

constexpr const char* lock_name = "wan-convert.lock";

std::string without_slash(std::string name) {
  while (name.size() > 1 && name.back() == '/') name.pop_back();
  return name;
}

std::string parent_of(const std::string& name) {
  const fs::path parent = fs::path(name).parent_path();
  return parent.empty() ? "." : parent.string();
}

/// The locked file; -1 if another process holds it.
int lock_file(const std::string& path, int flags) {
  const int file = ::open(path.c_str(), O_RDWR | O_CLOEXEC | flags, 0644);
  if (file < 0) throw CreateError(path, std::strerror(errno));
  if (::flock(file, LOCK_EX | LOCK_NB) == 0) return file;
  ::close(file);
  return -1;
}

void remove_all_but(const std::string& folder, const std::string& kept) {
  for (const fs::directory_entry& entry : fs::directory_iterator(folder)) {
    if (entry.path().filename() != kept) fs::remove_all(entry.path());
  }
}

void sync_folders(const std::string& top) {
  for (const fs::directory_entry& entry : fs::recursive_directory_iterator(top)) {
    if (entry.is_directory()) sync_path(entry.path());
  }
  sync_path(top);
}

}  // namespace

void require_absent(const std::string& name) {
  std::error_code ignored;
  if (fs::exists(fs::symlink_status(name, ignored)))
    throw CreateError(name, "exists; wan-convert replaces nothing: name another folder or remove it");
}

DraftFolder::DraftFolder(std::string name) : name_(without_slash(std::move(name))), draft_(name_ + ".tmp") {
  require_absent(name_);
  make_folders(parent_of(name_));
  const std::string lock = draft_ + "/" + lock_name;
  const int failed = ::mkdir(draft_.c_str(), 0755) == 0 ? 0 : errno;
  if (failed == 0) {
    lock_ = lock_file(lock, O_CREAT);
  } else if (failed != EEXIST) {
    throw CreateError(draft_, std::strerror(failed));
  } else if (fs::exists(lock)) {
    lock_ = lock_file(lock, 0);
    if (lock_ >= 0) remove_all_but(draft_, lock_name);
  } else {
    throw CreateError(draft_, "exists, without the lock of a wan-convert: remove it or name another folder");
  }
  if (lock_ < 0) throw CreateError(draft_, "another wan-convert is writing it");
}

DraftFolder::~DraftFolder() {
  if (lock_ < 0) return;
  std::error_code ignored;
  fs::remove_all(draft_, ignored);
  ::close(lock_);
}

void DraftFolder::commit() {
  fs::remove(draft_ + "/" + lock_name);
  sync_folders(draft_);
  int failed =
      ::renameat2(AT_FDCWD, draft_.c_str(), AT_FDCWD, name_.c_str(), RENAME_NOREPLACE) == 0 ? 0 : errno;
  // A file system without the flag: a plain rename never replaces a folder that holds something.
  if (failed == EINVAL || failed == ENOSYS) failed = ::rename(draft_.c_str(), name_.c_str()) == 0 ? 0 : errno;
  if (failed == EEXIST || failed == ENOTEMPTY) require_absent(name_);
  if (failed != 0) throw IoError(draft_, failed, "cannot rename to " + name_);
  ::close(lock_);
  lock_ = -1;
  sync_path(parent_of(name_));
}

}  // namespace wan
