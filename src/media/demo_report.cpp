#include "media/demo_report.hpp"

#include <algorithm>

#include "base/error.hpp"
#include "base/text.hpp"
#include "media/reader.hpp"

namespace wan::demo {
namespace {

/// Counts of one group of clips.
struct Tally {
  std::int64_t clips = 0;
  std::int64_t colour = 0;
  std::int64_t direction = 0;
  std::int64_t both = 0;

  void add(const Judged& clip) {
    ++clips;
    colour += clip.colour_right() ? 1 : 0;
    direction += clip.direction_right() ? 1 : 0;
    both += clip.colour_right() && clip.direction_right() ? 1 : 0;
  }

  [[nodiscard]] Json json() const {
    const auto share = [this](std::int64_t right) {
      return clips == 0 ? Json() : Json(static_cast<double>(right) / static_cast<double>(clips));
    };
    Json out;
    out.set("clips", clips)
        .set("colour", share(colour))
        .set("direction", share(direction))
        .set("both", share(both));
    return out;
  }
};

}  // namespace

Judged judge_file(const std::string& file, const std::string& text) {
  const std::optional<Combination> wanted = parse_caption(text);
  if (!wanted) {
    throw DataError(file, cat("its caption is \"", text, "\"; allowed are captions like \"",
                              caption(combination(0)), "\""));
  }
  VideoReader reader(probe_video(file), std::nullopt);
  std::vector<Image> clip;
  for (std::int64_t k = 0; k < reader.count(); ++k) clip.push_back(reader.frame(k));
  return {file, *wanted, judge(clip)};
}

Json report(const std::vector<Judged>& clips, const std::vector<Combination>& left_out) {
  Tally seen;
  Tally unseen;
  Json list = Json(Json::Array{});
  for (const Judged& clip : clips) {
    const bool is_left_out = std::find(left_out.begin(), left_out.end(), clip.wanted) != left_out.end();
    (is_left_out ? unseen : seen).add(clip);
    Json entry;
    entry.set("file", clip.file)
        .set("caption", caption(clip.wanted))
        .set("colour", clip.colour_right())
        .set("direction", clip.direction_right())
        .set("left_out", is_left_out);
    list.push(std::move(entry));
  }
  Json out;
  out.set("seen", seen.json()).set("left_out", unseen.json()).set("clips", std::move(list));
  return out;
}

}  // namespace wan::demo
