#pragma once
#include <cstdint>
#include <map>
#include <memory>
#include <string>

#include "checkpoint/disk_file.hpp"
#include "checkpoint/manifest.hpp"

namespace wan::checkpoint {

/// Reads tensors of one checkpoint folder as they are stored, wherever their ranges lie. Keeps files open.
class StoredReader {
 public:
  explicit StoredReader(std::string folder) : folder_(std::move(folder)) {}

  /// Elements [first, first + count) into `to`. Throws DataError or IoError.
  void read(const StoredTensor& tensor, std::int64_t first, std::int64_t count, void* to);

 private:
  [[nodiscard]] const DiskFile& file(const std::string& name);

  std::string folder_;
  std::map<std::string, std::unique_ptr<DiskFile>> files_;
};

}  // namespace wan::checkpoint
