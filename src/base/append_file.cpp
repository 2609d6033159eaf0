#include "base/append_file.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <utility>

#include "base/error.hpp"
#include "base/log.hpp"
#include "base/text.hpp"

namespace wan {

AppendFile::AppendFile(std::string path)
    : path_(std::move(path)),
      descriptor_(::open(path_.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644)) {
  struct stat info {};
  if (descriptor_ < 0 || ::fstat(descriptor_, &info) != 0) {
    const std::string reason = std::strerror(errno);
    if (descriptor_ >= 0) ::close(descriptor_);
    throw CreateError(path_, reason);
  }
  bytes_ = info.st_size;
}

AppendFile::~AppendFile() {
  flush();
  ::close(descriptor_);
}

void AppendFile::flush() {
  if (waiting_.empty()) return;
  const std::size_t bytes = waiting_.size();
  if (write_waiting()) {
    if (failing_) log::info(cat(path_, ": appended the ", bytes, " bytes that had to wait"));
    failing_ = false;
  } else if (!failing_) {
    log::warn(cat(path_, ": cannot append: ", std::strerror(errno), "; its lines wait in memory"));
    failing_ = true;
  }
}

bool AppendFile::write_waiting() {
  std::size_t done = 0;
  while (done < waiting_.size()) {
    const ssize_t wrote = ::write(descriptor_, waiting_.data() + done, waiting_.size() - done);
    if (wrote < 0 && errno == EINTR) continue;
    if (wrote < 0) {
      const int reason = errno;
      // Where a file system cannot cut, what went out stays, and the rest follows it later.
      if (done > 0 && ::ftruncate(descriptor_, bytes_) != 0) {
        bytes_ += static_cast<std::int64_t>(done);
        waiting_.erase(0, done);
      }
      errno = reason;
      return false;
    }
    done += static_cast<std::size_t>(wrote);
  }
  bytes_ += static_cast<std::int64_t>(waiting_.size());
  waiting_.clear();
  return true;
}

}  // namespace wan
