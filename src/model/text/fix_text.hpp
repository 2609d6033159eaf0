#pragma once
#include <string>
#include <string_view>

namespace wan {

/// ftfy 6's fix_text(text, fix_encoding=False): line by line and until nothing changes any more, HTML
/// references (until a line holds a literal '<'), C1 controls read as Windows-1252, Latin ligatures, full-
/// and half-width forms, curly quotes, line breaks, surrogates, terminal escapes, control characters, and
/// normal form C. One bound is ours: a line is fixed at most 100 times, so text escaped deeper than that
/// keeps the rest.
[[nodiscard]] std::u32string fix_text(std::u32string_view text);

}  // namespace wan
