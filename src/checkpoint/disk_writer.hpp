#pragma once
#include <cstdint>
#include <string>

namespace wan::checkpoint {

/// A file that exists at its full length, written at given places, from any thread.
class DiskWriter {
 public:
  /// Throws IoError.
  explicit DiskWriter(std::string path);
  ~DiskWriter();
  DiskWriter(const DiskWriter&) = delete;
  DiskWriter& operator=(const DiskWriter&) = delete;

  /// Writes `count` bytes and has the disk begin with them. Throws IoError.
  void write(std::int64_t offset, const void* from, std::int64_t count);
  /// Waits until all that was written is on the disk. Throws IoError.
  void sync();

 private:
  std::string path_;
  int descriptor_;
};

}  // namespace wan::checkpoint
