#pragma once
#include <string>
#include <vector>

#include "base/json.hpp"
#include "media/demo_score.hpp"

namespace wan::demo {

/// One clip that was judged against the caption it was made from.
struct Judged {
  std::string file;
  Combination wanted;
  Sighting seen;
  [[nodiscard]] bool colour_right() const { return seen.colour == wanted.colour; }
  [[nodiscard]] bool direction_right() const { return seen.direction == wanted.direction; }
};

/// Decodes every frame of `file` and judges it. `text` is its caption; throws DataError if it is none of the
/// demo's, MediaError if the file does not decode.
[[nodiscard]] Judged judge_file(const std::string& file, const std::string& text);

/// {"seen": {"clips", "colour", "direction", "both"}, "left_out": {the same}, "clips": [{"file", "caption",
/// "colour", "direction", "left_out"}]}: shares of right answers among clips whose combination was trained on
/// and among the rest (null where there are none), and each answer.
[[nodiscard]] Json report(const std::vector<Judged>& clips, const std::vector<Combination>& left_out);

}  // namespace wan::demo
