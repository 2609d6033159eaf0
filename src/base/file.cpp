#include "base/file.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <utility>

#include "base/error.hpp"
#include "base/text.hpp"

namespace wan {
namespace fs = std::filesystem;

namespace {

constexpr const char* draft_mark = ".tmp.";

class Descriptor {
 public:
  explicit Descriptor(int fd) : fd_(fd) {}
  ~Descriptor() {
    if (fd_ >= 0) ::close(fd_);
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  [[nodiscard]] int get() const { return fd_; }

 private:
  int fd_;
};

}  // namespace

std::string read_file(const std::string& path, std::int64_t max_bytes) {
  std::error_code error;
  if (fs::is_directory(path, error)) throw NoInputError(path, "is a folder, a file is needed");
  std::ifstream in(path, std::ios::binary);
  if (!in) throw NoInputError(path, std::strerror(errno));
  std::string content;
  char block[1 << 16];
  while (in.read(block, sizeof block), in.gcount() > 0) {
    content.append(block, static_cast<std::size_t>(in.gcount()));
    if (static_cast<std::int64_t>(content.size()) > max_bytes) {
      throw DataError(path, cat("is longer than the ", max_bytes, " bytes allowed"));
    }
  }
  if (in.bad()) throw IoError(path, errno, "cannot read");
  return content;
}

InputFile::InputFile(std::string path)
    : path_(std::move(path)), descriptor_(::open(path_.c_str(), O_RDONLY | O_CLOEXEC)) {
  if (descriptor_ < 0) throw NoInputError(path_, std::strerror(errno));
  struct stat info {};
  if (::fstat(descriptor_, &info) != 0 || !S_ISREG(info.st_mode)) {
    ::close(descriptor_);
    throw NoInputError(path_, "is no regular file");
  }
  bytes_ = info.st_size;
}

InputFile::InputFile(InputFile&& other) noexcept
    : path_(std::move(other.path_)),
      bytes_(other.bytes_),
      descriptor_(std::exchange(other.descriptor_, -1)) {}

InputFile& InputFile::operator=(InputFile&& other) noexcept {
  std::swap(path_, other.path_);
  std::swap(bytes_, other.bytes_);
  std::swap(descriptor_, other.descriptor_);
  return *this;
}

InputFile::~InputFile() {
  if (descriptor_ >= 0) ::close(descriptor_);
}

void InputFile::read(std::int64_t offset, void* to, std::int64_t bytes) const {
  char* at = static_cast<char*>(to);
  while (bytes > 0) {
    const ssize_t got = ::pread(descriptor_, at, static_cast<std::size_t>(bytes), offset);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) {
      const int reason = errno;
      throw IoError(path_, reason, cat("cannot read ", bytes, " bytes at byte ", offset));
    }
    if (got == 0) throw DataError(path_, cat("ends before byte ", offset + bytes));
    at += got;
    offset += got;
    bytes -= got;
  }
}

AtomicFile::AtomicFile(std::string path)
    : path_(std::move(path)),
      draft_(path_ + draft_mark + std::to_string(::getpid())),
      descriptor_(::open(draft_.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644)) {
  if (descriptor_ < 0) throw CreateError(draft_, std::strerror(errno));
}

AtomicFile::~AtomicFile() {
  if (descriptor_ < 0) return;
  ::close(descriptor_);
  ::unlink(draft_.c_str());
}

void AtomicFile::write(const void* data, std::int64_t bytes) {
  const char* at = static_cast<const char*>(data);
  while (bytes > 0) {
    const ssize_t wrote = ::write(descriptor_, at, static_cast<std::size_t>(bytes));
    if (wrote < 0 && errno == EINTR) continue;
    if (wrote < 0) {
      const int reason = errno;
      throw IoError(path_, reason, cat("cannot write ", bytes, " bytes"));
    }
    at += wrote;
    bytes -= wrote;
  }
}

void AtomicFile::commit() {
  if (::fsync(descriptor_) != 0) throw IoError(path_, errno, "cannot sync");
  if (::rename(draft_.c_str(), path_.c_str()) != 0) throw IoError(path_, errno, "cannot rename into place");
  ::close(descriptor_);
  descriptor_ = -1;
  const fs::path folder = fs::path(path_).parent_path();
  sync_path(folder.empty() ? "." : folder.string());
}

void write_file_atomically(const std::string& path, std::string_view content) {
  AtomicFile file(path);
  file.write(content);
  file.commit();
}

void remove_drafts(const std::string& folder, const std::set<std::string>& names) {
  std::error_code error;
  fs::directory_iterator entry(folder, error);
  for (; !error && entry != fs::directory_iterator(); entry.increment(error)) {
    const std::string found = entry->path().filename().string();
    const std::size_t mark = found.rfind(draft_mark);
    if (mark == std::string::npos || names.count(found.substr(0, mark)) == 0) continue;
    std::error_code gone_meanwhile;
    fs::remove(entry->path(), gone_meanwhile);
  }
}

void sync_path(const std::string& path) {
  const Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (file.get() < 0) throw IoError(path, errno, "cannot open to sync");
  if (::fsync(file.get()) != 0) throw IoError(path, errno, "cannot sync");
}

void make_folders(const std::string& path) {
  std::error_code error;
  fs::create_directories(path, error);
  if (error) throw CreateError(path, "cannot create folder: " + error.message());
  if (!fs::is_directory(path)) throw CreateError(path, "exists and is not a folder");
}

std::int64_t free_bytes(const std::string& path) {
  struct statvfs info {};
  if (::statvfs(path.c_str(), &info) != 0) throw IoError(path, errno, "cannot read free space");
  return static_cast<std::int64_t>(info.f_bavail) * static_cast<std::int64_t>(info.f_frsize);
}

}  // namespace wan
