#pragma once
#include <string>
#include <string_view>

#include "media/image.hpp"

namespace wan {

/// A PNG file's bytes, 8-bit RGB; equal pictures give equal bytes.
[[nodiscard]] std::string encode_png(const Image& image);

/// Writes it in one step under its final name. Throws CreateError, IoError.
void write_png(const std::string& path, const Image& image);

/// Any PNG as RGB (transparency dropped). `source` names it in errors. Throws MediaError undecodable,
/// absurd_size.
[[nodiscard]] Image decode_png(std::string_view bytes, const std::string& source);

}  // namespace wan
