#pragma once
#include <cstdint>
#include <string>

namespace wan {

/// Where the outermost structure of an mp4/mov (boxes, ISO/IEC 14496-12 4.2) or mkv/webm (EBML header and
/// segment, RFC 8794 and 9559) says that the file ends; 0 if it does not say, or if the file is neither. A
/// result beyond the file's size means that it was cut. Reads a few bytes per box. Throws MediaError
/// unreadable.
[[nodiscard]] std::int64_t announced_bytes(const std::string& path);

}  // namespace wan
