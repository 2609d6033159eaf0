#include "media/probe.hpp"

extern "C" {
#include <libavcodec/avcodec.h>
#include <libavformat/avformat.h>
#include <libavutil/pixdesc.h>
#include <libavutil/rational.h>
}

#include <algorithm>
#include <array>
#include <cstring>
#include <filesystem>
#include <iterator>
#include <limits>
#include <system_error>

#include "base/text.hpp"
#include "media/announced_bytes.hpp"
#include "media/decoder.hpp"
#include "media/media_error.hpp"

namespace wan {
namespace {

constexpr std::int64_t unknown_time = AV_NOPTS_VALUE;
/// Times beyond this are nonsense, and differences of those within it cannot overflow.
constexpr std::int64_t latest_time = std::numeric_limits<std::int64_t>::max() / 4;
constexpr double announced_slack_s = 1.0;

/// The stream's display matrix; its place moved from the stream to its parameters in FFmpeg 6.1.
Orientation orientation_of_stream(const AVStream& stream) {
  const std::uint8_t* bytes = nullptr;
  std::size_t size = 0;
#if LIBAVCODEC_VERSION_INT >= AV_VERSION_INT(60, 31, 102)
  const AVPacketSideData* const side = av_packet_side_data_get(
      stream.codecpar->coded_side_data, stream.codecpar->nb_coded_side_data, AV_PKT_DATA_DISPLAYMATRIX);
  if (side != nullptr) {
    bytes = side->data;
    size = side->size;
  }
#else
  bytes = av_stream_get_side_data(&stream, AV_PKT_DATA_DISPLAYMATRIX, &size);
#endif
  std::array<std::int32_t, 9> matrix;
  if (bytes == nullptr || size < sizeof matrix) return {};
  std::memcpy(matrix.data(), bytes, sizeof matrix);
  return orientation_of(matrix.data());
}

/// VP8 keeps frames that are never shown in packets of their own; bit 4 of the frame tag (RFC 6386 9.1) is
/// show_frame.
bool is_shown(const AVPacket& packet, AVCodecID codec) {
  if ((packet.flags & AV_PKT_FLAG_DISCARD) != 0) return false;
  return codec != AV_CODEC_ID_VP8 || packet.size < 1 || (packet.data[0] & 0x10) != 0;
}

/// What one pass over all packets finds.
struct Packets {
  std::vector<std::int64_t> pts;
  std::vector<std::int64_t> dts;
  std::vector<std::int64_t> keys;
  std::int64_t latest = std::numeric_limits<std::int64_t>::min();
  std::int64_t latest_duration = 0;
  double end_s = 0;  ///< of all streams, from the container's start
  bool cut = false;  ///< a packet is incomplete
};

Packets read_packets(av::Input& input, const std::string& path, const MediaLimits& limits) {
  Packets found;
  const av::Packet packet = av::new_packet();
  const AVStream& stream = input.stream();
  while (input.read(*packet)) {
    const std::int64_t time = packet->pts != unknown_time ? packet->pts : packet->dts;
    const AVRational tick = input.format().streams[packet->stream_index]->time_base;
    if (time != unknown_time && std::abs(time) < latest_time && packet->duration < latest_time) {
      found.end_s = std::max(found.end_s, static_cast<double>(time + packet->duration) * av_q2d(tick));
    }
    if (!input.of_video(*packet)) continue;
    if ((packet->flags & AV_PKT_FLAG_CORRUPT) != 0) {
      found.cut = true;
      break;
    }
    if (!is_shown(*packet, stream.codecpar->codec_id)) continue;
    found.pts.push_back(packet->pts);
    found.dts.push_back(packet->dts);
    if ((packet->flags & AV_PKT_FLAG_KEY) != 0) found.keys.push_back(packet->pts);
    if (static_cast<std::int64_t>(found.pts.size()) > limits.max_frames) {
      throw MediaError(path, "too_long", cat("more than ", limits.max_frames, " frames"));
    }
    if (time != unknown_time && time > found.latest) {
      found.latest = time;
      found.latest_duration = packet->duration;
    }
  }
  return found;
}

bool usable(std::vector<std::int64_t>& times) {
  std::sort(times.begin(), times.end());
  times.erase(std::unique(times.begin(), times.end()), times.end());
  return times.front() != unknown_time && times.front() > -latest_time && times.back() < latest_time;
}

/// Throws if the file ends before its outermost structure does.
void check_bytes(const std::string& path) {
  const std::int64_t announced = announced_bytes(path);
  std::error_code error;
  const auto bytes = std::filesystem::file_size(path, error);
  if (!error && announced > static_cast<std::int64_t>(bytes)) {
    throw MediaError(path, "truncated", cat("announces ", announced, " bytes, holds ", bytes));
  }
}

/// Throws if the container promises samples or seconds that were not there.
void check_whole(const av::Input& input, const Packets& packets, const std::string& path) {
  const AVFormatContext& format = input.format();
  const std::int64_t bytes = avio_size(format.pb);
  for (unsigned s = 0; s < format.nb_streams; ++s) {
    AVStream* const stream = format.streams[s];
    for (int i = 0; i < avformat_index_get_entries_count(stream); ++i) {
      const AVIndexEntry* const entry = avformat_index_get_entry(stream, i);
      if (bytes >= 0 && entry->pos > bytes - entry->size) {
        throw MediaError(path, "truncated",
                         cat("a sample lies at byte ", entry->pos, ", the file has ", bytes));
      }
    }
  }
  if (packets.cut) throw MediaError(path, "truncated", "ends inside a frame");
  if (format.duration_estimation_method == AVFMT_DURATION_FROM_STREAM && format.duration != unknown_time) {
    const double start =
        format.start_time == unknown_time ? 0.0 : static_cast<double>(format.start_time) / AV_TIME_BASE;
    const double announced = static_cast<double>(format.duration) / AV_TIME_BASE + start;
    if (announced > packets.end_s + announced_slack_s) {
      throw MediaError(path, "truncated", cat("announces ", announced, " s, holds ", packets.end_s, " s"));
    }
  }
}

Rational stated_rate(const AVStream& stream) {
  for (const AVRational rate : {stream.avg_frame_rate, stream.r_frame_rate}) {
    if (rate.num > 0 && rate.den > 0 && av_q2d(rate) <= 1000.0) return {rate.num, rate.den};
  }
  return {};
}

Rational measured_rate(const Timeline& timeline) {
  const AVRational rate =
      av_d2q(static_cast<double>(timeline.pts.size()) /
                 (static_cast<double>(timeline.end - timeline.pts.front()) * timeline.tick.value()),
             100000);
  return rate.num > 0 && rate.den > 0 ? Rational{rate.num, rate.den} : Rational{1, 1};
}

}  // namespace

VideoInfo probe_video(const std::string& path, const MediaLimits& limits) {
  VideoInfo info;
  info.path = path;
  Packets packets;
  check_bytes(path);
  {
    av::Input input(path, limits);
    const AVStream& stream = input.stream();
    info.codec = avcodec_get_name(stream.codecpar->codec_id);
    info.orientation = orientation_of_stream(stream);
    info.frame_rate = stated_rate(stream);
    info.timeline.tick = {stream.time_base.num, stream.time_base.den};
    packets = read_packets(input, path, limits);
    if (packets.pts.empty() && !packets.cut)
      throw MediaError(path, "no_frames", "the video stream holds no frame");
    check_whole(input, packets, path);
  }

  av::Decoder decoder(path, limits, 1);
  if (!decoder.next())
    throw MediaError(path, "undecodable", cat("no frame in ", packets.pts.size(), " packets"));
  const AVFrame& first = decoder.frame();
  const std::int64_t sides[2] = {first.width, first.height};
  info.width = sides[info.orientation.transpose ? 1 : 0];
  info.height = sides[info.orientation.transpose ? 0 : 1];
  info.full_range = first.color_range == AVCOL_RANGE_JPEG;
  const char* const matrix = av_color_space_name(first.colorspace);
  info.matrix = matrix == nullptr ? "unknown" : matrix;

  std::vector<std::int64_t>& pts = info.timeline.pts;
  const std::size_t count = packets.pts.size();
  if (usable(packets.pts)) {
    pts = std::move(packets.pts);
    // Frames before the first that can be decoded (leading pictures of a cut stream) are not shown.
    if (first.pts != unknown_time)
      pts.erase(pts.begin(), std::lower_bound(pts.begin(), pts.end(), first.pts));
    std::sort(packets.keys.begin(), packets.keys.end());
    std::set_intersection(packets.keys.begin(), packets.keys.end(), pts.begin(), pts.end(),
                          std::back_inserter(info.keys));
  } else {
    info.exact_pts = false;
    if (usable(packets.dts) && packets.dts.size() == count) {
      pts = std::move(packets.dts);
    } else {
      const Rational rate = info.frame_rate.num > 0 ? info.frame_rate : Rational{25, 1};
      info.timeline.tick = {rate.den, rate.num};
      for (std::size_t i = 0; i < count; ++i) pts.push_back(static_cast<std::int64_t>(i));
    }
  }
  if (pts.empty()) throw MediaError(path, "undecodable", "the first frame comes after the last packet");

  const std::int64_t gap = pts.size() > 1 ? pts.back() - pts[pts.size() - 2] : 1;
  const bool stated = info.exact_pts && packets.latest_duration > 0 && packets.latest_duration < latest_time;
  info.timeline.end = pts.back() + (stated ? packets.latest_duration : gap);
  const double duration = static_cast<double>(info.timeline.end - pts.front()) * info.timeline.tick.value();
  if (duration > limits.max_duration_s) {
    throw MediaError(path, "too_long", cat(duration, " s; allowed are ", limits.max_duration_s));
  }
  if (info.frame_rate.num == 0) info.frame_rate = measured_rate(info.timeline);
  return info;
}

}  // namespace wan
