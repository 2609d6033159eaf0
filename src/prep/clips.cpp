#include "prep/clips.hpp"

#include <algorithm>

namespace wan {
namespace {

std::vector<Clip> single_frames(std::int64_t count, const ClipRule& rule) {
  std::vector<Clip> clips;
  const std::int64_t number = *rule.single_frames;
  for (std::int64_t i = 0; i < number; ++i) {
    std::int64_t frame = rule.start;
    if (number > 1) {
      const double step = static_cast<double>(count - 1 - rule.start) / static_cast<double>(number - 1);
      frame = static_cast<std::int64_t>(static_cast<double>(i) * step + static_cast<double>(rule.start));
      // The last one is set to the end, as numpy does it, and not computed.
      if (i == number - 1) frame = count - 1;
    }
    if (clips.empty() || clips.back().start != frame) clips.push_back({frame, 1});
  }
  return clips;
}

}  // namespace

std::vector<Clip> cut_clips(std::int64_t count, const ClipRule& rule) {
  std::vector<Clip> clips;
  if (count <= rule.start) return clips;
  if (rule.single_frames) {
    clips = single_frames(count, rule);
  } else {
    for (std::int64_t start = rule.start; start < count; start += rule.stride) {
      const std::int64_t left = std::min(rule.longest, count - start);
      if (left < rule.longest && left < rule.min_tail && start > rule.start) break;
      clips.push_back({start, (left - 1) / 4 * 4 + 1});
    }
  }
  if (rule.most && static_cast<std::int64_t>(clips.size()) > *rule.most) {
    clips.resize(static_cast<std::size_t>(*rule.most));
  }
  return clips;
}

}  // namespace wan
