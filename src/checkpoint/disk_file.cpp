#include "checkpoint/disk_file.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <cstring>
#include <utility>

#include "base/error.hpp"
#include "base/text.hpp"

namespace wan::checkpoint {

DiskFile::DiskFile(std::string path)
    : path_(std::move(path)), descriptor_(::open(path_.c_str(), O_RDONLY | O_CLOEXEC)) {
  if (descriptor_ < 0) throw NoInputError(path_, std::strerror(errno));
  struct stat info {};
  if (::fstat(descriptor_, &info) != 0 || !S_ISREG(info.st_mode)) {
    ::close(descriptor_);
    throw DataError(path_, "is not a regular file");
  }
  bytes_ = info.st_size;
}

DiskFile::~DiskFile() {
  ::close(descriptor_);
}

void DiskFile::read(std::int64_t offset, void* to, std::int64_t count) const {
  std::int64_t done = 0;
  while (done < count) {
    const ssize_t got = ::pread(descriptor_, static_cast<std::byte*>(to) + done,
                                static_cast<std::size_t>(count - done), offset + done);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) throw IoError(path_, errno, cat("cannot read ", count, " bytes at ", offset));
    if (got == 0) throw DataError(path_, cat("ends before byte ", offset + count));
    done += got;
  }
}

Hash128 hash_between_tensors(const std::string& folder, const std::string& name,
                             const std::vector<StoredTensor>& tensors) {
  std::vector<std::pair<std::int64_t, std::int64_t>> covered;
  for (const StoredTensor& tensor : tensors) {
    for (const StoredRange& range : tensor.ranges) {
      if (range.file == name)
        covered.emplace_back(range.offset, range.offset + range.count * bytes_of(tensor.dtype));
    }
  }
  std::sort(covered.begin(), covered.end());
  const DiskFile file(folder + "/" + name);
  covered.emplace_back(file.bytes(), file.bytes());
  std::string rest;
  std::int64_t at = 0;
  for (const auto& [begin, end] : covered) {
    if (begin > at) {
      const std::size_t old = rest.size();
      rest.resize(old + static_cast<std::size_t>(begin - at));
      file.read(at, rest.data() + old, begin - at);
    }
    at = std::max(at, end);
  }
  return bytes_hash(rest);
}

}  // namespace wan::checkpoint
