#include "checkpoint/disk_writer.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstddef>
#include <utility>

#include "base/error.hpp"
#include "base/text.hpp"

namespace wan::checkpoint {
namespace {

/// Less is left to the system's own time.
constexpr std::int64_t worth_beginning = std::int64_t{1} << 20;

}  // namespace

DiskWriter::DiskWriter(std::string path)
    : path_(std::move(path)), descriptor_(::open(path_.c_str(), O_WRONLY | O_CLOEXEC)) {
  if (descriptor_ < 0) throw IoError(path_, errno, "cannot open");
}

DiskWriter::~DiskWriter() {
  ::close(descriptor_);
}

void DiskWriter::write(std::int64_t offset, const void* from, std::int64_t count) {
  std::int64_t done = 0;
  while (done < count) {
    const ssize_t put = ::pwrite(descriptor_, static_cast<const std::byte*>(from) + done,
                                 static_cast<std::size_t>(count - done), offset + done);
    if (put < 0 && errno == EINTR) continue;
    if (put < 0) throw IoError(path_, errno, cat("cannot write ", count, " bytes at ", offset));
    done += put;
  }
  // Without it the system gathers a tenth of the memory before the disk begins. Where it cannot, sync() waits
  // the longer.
  if (count >= worth_beginning) ::sync_file_range(descriptor_, offset, count, SYNC_FILE_RANGE_WRITE);
}

void DiskWriter::sync() {
  if (::fsync(descriptor_) != 0) throw IoError(path_, errno, "cannot bring it to the disk");
}

}  // namespace wan::checkpoint
