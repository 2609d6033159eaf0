#pragma once
#include <fcntl.h>
#include <sys/mount.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <string>

#include "base/file.hpp"
#include "base/text.hpp"
#include "support/temporary_folder.hpp"

namespace wan::test {

/// A file system of its own, of `bytes` bytes; needs root.
class SmallDisk {
 public:
  explicit SmallDisk(std::int64_t bytes) {
    const std::string options = cat("size=", bytes);
    if (::mount("tmpfs", folder_.path().c_str(), "tmpfs", 0, options.c_str()) != 0)
      problem_ = std::strerror(errno);
  }
  ~SmallDisk() {
    if (problem_.empty()) ::umount2(folder_.path().c_str(), MNT_DETACH);
  }
  SmallDisk(const SmallDisk&) = delete;
  SmallDisk& operator=(const SmallDisk&) = delete;

  [[nodiscard]] const std::string& path() const { return folder_.path(); }
  /// Why it could not be mounted, or empty.
  [[nodiscard]] const std::string& problem() const { return problem_; }

  /// Fills the disk up to `left` free bytes; nothing is written, only space taken. By small pieces, since one
  /// that others leave no room for is given back whole.
  void leave_free(std::int64_t left) const {
    const std::string ballast = path() + "/ballast";
    if (free_bytes(path()) < left) std::filesystem::remove(ballast);
    std::ofstream(ballast, std::ios::app).close();
    const int file = ::open(ballast.c_str(), O_WRONLY | O_CLOEXEC);
    constexpr std::int64_t piece = std::int64_t{1} << 20;
    for (int tries = 0; tries < 10000; ++tries) {
      const std::int64_t bytes = free_bytes(path()) - left;
      if (bytes <= 0) break;
      (void)::posix_fallocate(file, ::lseek(file, 0, SEEK_END), std::min(bytes, piece));
    }
    ::close(file);
  }

 private:
  TemporaryFolder folder_;
  std::string problem_;
};

/// Where mounting is not allowed the test fails, unless the variable says that this is known.
#define NEED_SMALL_DISK(disk)                                                                       \
  if (!(disk).problem().empty()) {                                                                  \
    if (std::getenv("WAN_TEST_WITHOUT_MOUNT") != nullptr) GTEST_SKIP() << "WAN_TEST_WITHOUT_MOUNT"; \
    FAIL() << "cannot mount a tmpfs (" << (disk).problem()                                          \
           << "); run as root, or set WAN_TEST_WITHOUT_MOUNT=1 to leave this test out";             \
  }

}  // namespace wan::test
