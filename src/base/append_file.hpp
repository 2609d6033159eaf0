#pragma once
#include <cstdint>
#include <string>
#include <string_view>

namespace wan {

/// A log that grows by whole records. One process writes it. A file system that has no room must not end a
/// run whose results are elsewhere: records that cannot be written wait in memory and go out with later ones,
/// and no record is ever there by half.
class AppendFile {
 public:
  /// Opens or creates. Throws CreateError.
  explicit AppendFile(std::string path);
  /// Tries a last time to write what waits.
  ~AppendFile();
  AppendFile(const AppendFile&) = delete;
  AppendFile& operator=(const AppendFile&) = delete;

  /// To be written by the next flush.
  void add(std::string_view record) { waiting_ += record; }
  /// Writes what waits. The first of a row of failures is warned of, and so is its end.
  void flush();

  /// Bytes that could not be written yet.
  [[nodiscard]] std::int64_t waiting() const { return static_cast<std::int64_t>(waiting_.size()); }

 private:
  [[nodiscard]] bool write_waiting();

  std::string path_;
  int descriptor_;
  std::int64_t bytes_ = 0;  ///< of the whole records in the file
  std::string waiting_;
  bool failing_ = false;
};

}  // namespace wan
