#include "media/reader.hpp"

extern "C" {
#include <libavutil/frame.h>
}

#include <algorithm>
#include <cassert>
#include <iterator>
#include <utility>

#include "base/text.hpp"
#include "media/colour.hpp"
#include "media/decoder.hpp"
#include "media/media_error.hpp"

namespace wan {
namespace {

/// Frames that seeking must save: it costs opening a group of pictures anew.
constexpr std::int64_t worth_seeking = 16;

}  // namespace

struct VideoReader::State {
  State(VideoInfo video, TargetRate target, int decoder_threads, const MediaLimits& allowed)
      : info(std::move(video)), rate(target), threads(decoder_threads), limits(allowed) {
    rewind();
  }

  void rewind() {
    decoder = std::make_unique<av::Decoder>(info.path, limits, threads);
    decoded = -1;
    asked = -1;
    shown = -1;
    advance();
  }

  /// Moves to the next decoded frame and finds its time.
  void advance() {
    present = decoder->next();
    if (!present) return;
    ++effort;
    ++decoded;
    const auto ordinal = static_cast<std::size_t>(decoded);
    const std::vector<std::int64_t>& pts = info.timeline.pts;
    if (info.exact_pts) {
      time = decoder->frame().pts;
    } else {
      time = ordinal < pts.size() ? pts[ordinal] : info.timeline.end;
    }
  }

  /// Begins again at the key frame shown at `pts`. False, with decoding at the file's beginning, if that
  /// frame is not what comes: the container's times lead elsewhere, or what it calls a key frame is none.
  [[nodiscard]] bool restart_at(std::int64_t pts) {
    if (decoder->seek(pts)) {
      do advance();
      while (present && time < pts);
      if (present && time == pts && decoder->at_whole_picture() && !decoder->damaged()) return true;
    }
    seekable = false;
    rewind();
    return false;
  }

  /// Brings the decoder to where decoding on gives frame `index`.
  void approach(std::int64_t index) {
    const std::vector<std::int64_t>& pts = info.timeline.pts;
    const auto after =
        std::upper_bound(info.keys.begin(), info.keys.end(), pts[static_cast<std::size_t>(index)]);
    const bool back = index < asked;
    if (seekable && after != info.keys.begin()) {
      const std::int64_t key = *std::prev(after);
      const auto gain =
          std::lower_bound(pts.begin(), pts.end(), key) - pts.begin() - std::max<std::int64_t>(asked, 0);
      if ((back || gain >= worth_seeking) && restart_at(key)) return;
    }
    if (index < asked) rewind();
  }

  /// Decodes up to frame `index` of the file and converts it.
  void show(std::int64_t index) {
    approach(index);
    asked = index;
    const std::int64_t wanted = info.timeline.pts[static_cast<std::size_t>(index)];
    while (present && time < wanted) advance();
    if (!present || time != wanted) {
      throw MediaError(info.path, "missing_frame",
                       cat("frame ", index, " of ", info.timeline.pts.size(), " does not decode"));
    }
    if (decoder->damaged()) {
      throw MediaError(info.path, "corrupt_frame",
                       cat("frame ", index, " of ", info.timeline.pts.size(), " is damaged"));
    }
    const AVFrame& raw = decoder->frame();
    const std::int64_t width = info.orientation.transpose ? raw.height : raw.width;
    const std::int64_t height = info.orientation.transpose ? raw.width : raw.height;
    if (width != info.width || height != info.height) {
      throw MediaError(
          info.path, "size_changes",
          cat("frame ", index, " is ", width, "x", height, ", the first is ", info.width, "x", info.height));
    }
    image = to_rgb.convert(raw, info.path);
    if (!info.orientation.identity()) image = oriented(image, info.orientation);
    shown = index;
  }

  VideoInfo info;
  TargetRate rate;
  int threads;
  MediaLimits limits;
  std::unique_ptr<av::Decoder> decoder;
  av::ToRgb to_rgb;
  std::int64_t decoded = -1;  ///< ordinal of the decoder's current frame; not after seeking
  std::int64_t effort = 0;    ///< frames decoded in all
  bool seekable = true;       ///< until it was seen to lead astray
  std::int64_t time = 0;      ///< its presentation time
  bool present = false;       ///< whether there is one
  std::int64_t asked = -1;    ///< the file's frame last looked for; the decoder may be past it
  std::int64_t shown = -1;    ///< the file's frame that `image` holds
  Image image;
};

VideoReader::VideoReader(VideoInfo info, TargetRate rate, int threads, const MediaLimits& limits)
    : state_(std::make_unique<State>(std::move(info), rate, threads, limits)) {}
VideoReader::~VideoReader() = default;
VideoReader::VideoReader(VideoReader&&) noexcept = default;
VideoReader& VideoReader::operator=(VideoReader&&) noexcept = default;

std::int64_t VideoReader::count() const {
  return resampled_count(state_->info.timeline, state_->rate);
}

std::int64_t VideoReader::decoded() const {
  return state_->effort;
}

const Image& VideoReader::frame(std::int64_t k) {
  assert(k >= 0 && k < count());
  const std::int64_t index = source_frame(state_->info.timeline, state_->rate, k);
  if (index == state_->shown) return state_->image;
  state_->show(index);
  return state_->image;
}

}  // namespace wan
