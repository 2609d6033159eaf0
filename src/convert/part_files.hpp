#pragma once
#include <string>

namespace wan {

/// Puts the regular files of folder `from` into folder `to`, which is made: as hard links where the file
/// system has them, else as synced copies. Links of the source (a Hugging Face cache's) are followed. Throws
/// NoInputError, CreateError, IoError.
void put_files(const std::string& from, const std::string& to);
/// The same for one file.
void put_file(const std::string& from, const std::string& to);

}  // namespace wan
