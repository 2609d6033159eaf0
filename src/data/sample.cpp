#include "data/sample.hpp"

#include "base/hash.hpp"
#include "base/text.hpp"

namespace wan {

std::string to_text(const LatentShape& shape) {
  return cat(shape.channels, 'x', shape.frames, 'x', shape.height, 'x', shape.width);
}

std::uint64_t sample_id(std::string_view source, std::int64_t frame_start, std::int64_t frame_count) {
  return bytes_hash(cat(source, '\n', frame_start, '\n', frame_count)).low;
}

}  // namespace wan
