#pragma once
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

namespace wan {

/// The arguments written one after the other with operator<<.
template <class... Parts>
[[nodiscard]] std::string cat(const Parts&... parts) {
  std::ostringstream out;
  (out << ... << parts);
  return out.str();
}

/// `items` joined by `separator`.
[[nodiscard]] std::string join(const std::vector<std::string>& items, std::string_view separator);

/// `text` cut at every `separator`; "a,,b" gives three parts, "" gives one empty part.
[[nodiscard]] std::vector<std::string> split(std::string_view text, char separator);

/// `text` without leading and trailing ASCII white space.
[[nodiscard]] std::string_view trim(std::string_view text);

/// The candidate with the smallest edit distance to `word`, or "" if there are none (for "did you mean").
[[nodiscard]] std::string nearest(std::string_view word, const std::vector<std::string>& candidates);

/// A byte count for people: "3.2 GiB".
[[nodiscard]] std::string human_bytes(double bytes);

}  // namespace wan
