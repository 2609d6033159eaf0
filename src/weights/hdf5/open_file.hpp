#pragma once
#include <cstdint>
#include <string>

namespace wan::hdf5 {

/// Used by this folder's .cpp files only.
struct OpenFile {
  OpenFile(std::string name, std::int64_t file_id, bool is_parallel, bool is_writable);
  OpenFile(const OpenFile&) = delete;
  OpenFile& operator=(const OpenFile&) = delete;
  ~OpenFile();

  std::string path;
  std::int64_t id;
  bool parallel;
  bool writable;
  int exceptions_at_open;
  std::int64_t bytes = -1;  ///< length when it was opened; -1 for a file being created
};

}  // namespace wan::hdf5
