#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include "base/hash.hpp"
#include "checkpoint/manifest.hpp"

namespace wan::checkpoint {

/// A file opened for reading at given places; plain system calls, so that damaged HDF5 structures are never
/// parsed.
class DiskFile {
 public:
  /// Throws NoInputError or IoError.
  explicit DiskFile(std::string path);
  ~DiskFile();
  DiskFile(const DiskFile&) = delete;
  DiskFile& operator=(const DiskFile&) = delete;

  [[nodiscard]] std::int64_t bytes() const { return bytes_; }
  /// Reads exactly `count` bytes; throws DataError if the file ends before, IoError if reading fails.
  void read(std::int64_t offset, void* to, std::int64_t count) const;

 private:
  std::string path_;
  int descriptor_ = -1;
  std::int64_t bytes_ = 0;
};

/// Hash of the bytes of `folder`/`name` that no tensor of `tensors` covers (StoredFile::hash).
[[nodiscard]] Hash128 hash_between_tensors(const std::string& folder, const std::string& name,
                                           const std::vector<StoredTensor>& tensors);

}  // namespace wan::checkpoint
