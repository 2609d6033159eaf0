#include "checkpoint/stored_reader.hpp"

#include <algorithm>
#include <cstddef>

namespace wan::checkpoint {

void StoredReader::read(const StoredTensor& tensor, std::int64_t first, std::int64_t count, void* to) {
  const std::int64_t width = bytes_of(tensor.dtype);
  for (const StoredRange& range : tensor.ranges) {
    const std::int64_t begin = std::max(first, range.first);
    const std::int64_t end = std::min(first + count, range.first + range.count);
    if (begin >= end) continue;
    file(range.file)
        .read(range.offset + (begin - range.first) * width,
              static_cast<std::byte*>(to) + (begin - first) * width, (end - begin) * width);
  }
}

const DiskFile& StoredReader::file(const std::string& name) {
  std::unique_ptr<DiskFile>& open = files_[name];
  if (open == nullptr) open = std::make_unique<DiskFile>(folder_ + "/" + name);
  return *open;
}

}  // namespace wan::checkpoint
