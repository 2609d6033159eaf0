#pragma once
#include <cstdint>
#include <set>
#include <string>
#include <string_view>

namespace wan {

/// The whole file. Throws NoInputError if it is missing, DataError if it is longer than `max_bytes`, IoError.
[[nodiscard]] std::string read_file(const std::string& path, std::int64_t max_bytes = std::int64_t{1} << 30);

/// A regular file open for reading at any place, from any thread. Not mapped: a read that fails on a network
/// file system, or a file cut short meanwhile, is then an exception and not a SIGBUS.
class InputFile {
 public:
  /// Throws NoInputError.
  explicit InputFile(std::string path);
  InputFile(InputFile&& other) noexcept;
  InputFile& operator=(InputFile&& other) noexcept;
  ~InputFile();

  [[nodiscard]] const std::string& path() const { return path_; }
  /// Its length when it was opened.
  [[nodiscard]] std::int64_t bytes() const { return bytes_; }
  /// Bytes [offset, offset + bytes) to `to`. Throws DataError if the file ends before, IoError.
  void read(std::int64_t offset, void* to, std::int64_t bytes) const;

 private:
  std::string path_;
  std::int64_t bytes_ = 0;
  int descriptor_ = -1;
};

/// Replaces `path` in one step: writes a neighbour, syncs it, renames it over, syncs the folder. Throws
/// CreateError, IoError.
void write_file_atomically(const std::string& path, std::string_view content);

/// A file that appears under its name only when it is whole: bytes go to a neighbour, `commit` syncs it,
/// renames it over `path` and syncs the folder. Without commit the neighbour is removed and `path` stays as
/// it was.
class AtomicFile {
 public:
  /// Throws CreateError.
  explicit AtomicFile(std::string path);
  ~AtomicFile();
  AtomicFile(const AtomicFile&) = delete;
  AtomicFile& operator=(const AtomicFile&) = delete;

  /// Appends. Throws IoError.
  void write(const void* data, std::int64_t bytes);
  void write(std::string_view text) { write(text.data(), static_cast<std::int64_t>(text.size())); }
  void commit();

 private:
  std::string path_;
  std::string draft_;
  int descriptor_;
};

/// Removes what killed processes left in `folder` while they wrote files of these names atomically. Not while
/// one may be writing them.
void remove_drafts(const std::string& folder, const std::set<std::string>& names);

/// fsync of a file or folder.
void sync_path(const std::string& path);

/// mkdir -p. Throws CreateError with the system's reason.
void make_folders(const std::string& path);

/// Bytes a normal user may still write on the file system that holds `path`.
[[nodiscard]] std::int64_t free_bytes(const std::string& path);

}  // namespace wan
