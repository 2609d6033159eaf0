#pragma once
#include <cstdint>
#include <map>
#include <string>

#include "base/file.hpp"

namespace wan {

/// Where an uncompressed entry's bytes lie in its file.
struct ZipEntry {
  std::int64_t offset = 0;
  std::int64_t bytes = 0;
};

/// The entries of a zip file by name (APPNOTE 6.3, zip64 included). Everything is checked against the file's
/// length before it is used. Throws DataError naming entry and offset if a structure is cut short, lies
/// outside the file or is not what it should be, and for entries that are compressed or encrypted: torch.save
/// stores.
[[nodiscard]] std::map<std::string, ZipEntry> read_stored_zip(const InputFile& file);

}  // namespace wan
