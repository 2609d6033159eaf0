#include "media/writer.hpp"

extern "C" {
#include <libavcodec/avcodec.h>
#include <libavformat/avformat.h>
#include <libavutil/opt.h>
#include <libavutil/rational.h>
}

#include <cassert>
#include <new>
#include <utility>

#include "base/error.hpp"
#include "base/file.hpp"
#include "base/text.hpp"
#include "media/av.hpp"
#include "media/colour.hpp"

namespace wan {
namespace {

constexpr const char* encoder_name = "libx264";
constexpr std::int64_t max_rate = 1000000;
/// Fixed, since the bits depend on it, not on the machine.
constexpr int coding_threads = 8;

/// A muxer that writes to memory.
struct MemoryMuxer {
  MemoryMuxer() {
    if (avformat_alloc_output_context2(&format, nullptr, "mp4", nullptr) < 0)
      throw InternalError("FFmpeg has no mp4 writer");
    if (avio_open_dyn_buf(&format->pb) < 0) throw std::bad_alloc();
  }
  ~MemoryMuxer() {
    (void)take();
    avformat_free_context(format);
  }
  MemoryMuxer(const MemoryMuxer&) = delete;
  MemoryMuxer& operator=(const MemoryMuxer&) = delete;

  std::string take() {
    if (format->pb == nullptr) return {};
    std::uint8_t* bytes = nullptr;
    const int size = avio_close_dyn_buf(format->pb, &bytes);
    format->pb = nullptr;
    std::string content(reinterpret_cast<const char*>(bytes), static_cast<std::size_t>(size));
    av_free(bytes);
    return content;
  }

  AVFormatContext* format = nullptr;
};

}  // namespace

void check_video_encoder(const std::string& path) {
  if (avcodec_find_encoder_by_name(encoder_name) == nullptr) {
    throw CreateError(path, cat("this FFmpeg (libavcodec ", LIBAVCODEC_VERSION_MAJOR, ") has no encoder '",
                                encoder_name, "'; install one built with it"));
  }
}

struct VideoWriter::State {
  void check(int code, const char* what) const {
    if (code < 0) throw CreateError(path, cat("cannot ", what, ": ", av::message(code)));
  }

  void open(std::int64_t width, std::int64_t height, Rational rate, int crf) {
    const AVCodec* const codec = avcodec_find_encoder_by_name(encoder_name);
    encoder.reset(avcodec_alloc_context3(codec));
    if (!encoder) throw std::bad_alloc();
    encoder->width = static_cast<int>(width);
    encoder->height = static_cast<int>(height);
    encoder->pix_fmt = AV_PIX_FMT_YUV420P;
    av_reduce(&encoder->framerate.num, &encoder->framerate.den, rate.num, rate.den, max_rate);
    encoder->time_base = av_inv_q(encoder->framerate);
    encoder->sample_aspect_ratio = {1, 1};
    encoder->colorspace = AVCOL_SPC_SMPTE170M;
    encoder->color_primaries = AVCOL_PRI_BT709;
    encoder->color_trc = AVCOL_TRC_BT709;
    encoder->color_range = AVCOL_RANGE_MPEG;
    encoder->chroma_sample_location = AVCHROMA_LOC_LEFT;
    encoder->thread_count = coding_threads;
    encoder->flags |= AV_CODEC_FLAG_BITEXACT | AV_CODEC_FLAG_GLOBAL_HEADER;
    av_opt_set_double(encoder->priv_data, "crf", crf, 0);
    // x264's macroblock tree (build 164, its AVX code) uses memory that it never wrote: bits then vary from
    // run to run.
    av_opt_set_int(encoder->priv_data, "mbtree", 0, 0);
    check(avcodec_open2(encoder.get(), codec, nullptr), "open the encoder");

    AVFormatContext* const format = muxer.format;
    format->flags |= AVFMT_FLAG_BITEXACT;
    stream = avformat_new_stream(format, nullptr);
    if (stream == nullptr) throw std::bad_alloc();
    stream->time_base = encoder->time_base;
    stream->avg_frame_rate = encoder->framerate;
    check(avcodec_parameters_from_context(stream->codecpar, encoder.get()), "describe the stream");
    check(avformat_write_header(format, nullptr), "write the header");

    frame->format = encoder->pix_fmt;
    frame->width = encoder->width;
    frame->height = encoder->height;
    frame->colorspace = encoder->colorspace;
    frame->color_primaries = encoder->color_primaries;
    frame->color_trc = encoder->color_trc;
    frame->color_range = encoder->color_range;
    check(av_frame_get_buffer(frame.get(), 0), "allocate a frame");
  }

  void encode(const AVFrame* picture) {
    check(avcodec_send_frame(encoder.get(), picture), "encode");
    for (;;) {
      const int code = avcodec_receive_packet(encoder.get(), packet.get());
      if (code == AVERROR(EAGAIN) || code == AVERROR_EOF) return;
      check(code, "encode");
      if (packet->duration == 0) packet->duration = 1;
      av_packet_rescale_ts(packet.get(), encoder->time_base, stream->time_base);
      packet->stream_index = stream->index;
      check(av_interleaved_write_frame(muxer.format, packet.get()), "write a frame");
    }
  }

  std::string path;
  MemoryMuxer muxer;
  av::CodecContext encoder;
  AVStream* stream = nullptr;  ///< owned by the muxer
  av::Frame frame = av::new_frame();
  av::Packet packet = av::new_packet();
  av::FromRgb from_rgb;
  std::int64_t frames = 0;
};

VideoWriter::VideoWriter(std::string path, std::int64_t width, std::int64_t height,
                         Rational frames_per_second, int crf) {
  if (width < 2 || height < 2 || width % 2 != 0 || height % 2 != 0 || width > 16384 || height > 16384) {
    throw UsageError(
        cat(path, ": a video of ", width, "x", height, " cannot be written; sides are even, 2 to 16384"));
  }
  if (frames_per_second.num < 1 || frames_per_second.den < 1 || frames_per_second.num > max_rate ||
      frames_per_second.den > max_rate) {
    throw UsageError(
        cat(path, ": ", frames_per_second.num, "/", frames_per_second.den, " frames per second"));
  }
  if (crf < 0 || crf > 51) throw UsageError(cat(path, ": crf ", crf, "; allowed are 0 to 51"));
  av::silence();
  check_video_encoder(path);
  state_ = std::make_unique<State>();
  state_->path = std::move(path);
  state_->open(width, height, frames_per_second, crf);
}

VideoWriter::~VideoWriter() = default;
VideoWriter::VideoWriter(VideoWriter&&) noexcept = default;
VideoWriter& VideoWriter::operator=(VideoWriter&&) noexcept = default;

void VideoWriter::add(const Image& image) {
  State& s = *state_;
  assert(image.width == s.frame->width && image.height == s.frame->height);
  s.check(av_frame_make_writable(s.frame.get()), "allocate a frame");
  s.from_rgb.convert(image, *s.frame);
  s.frame->pts = s.frames++;
  s.encode(s.frame.get());
}

void VideoWriter::finish() {
  State& s = *state_;
  if (s.frames == 0) throw UsageError(s.path + ": a video without frames cannot be written");
  s.encode(nullptr);
  s.check(av_write_trailer(s.muxer.format), "finish the file");
  write_file_atomically(s.path, s.muxer.take());
}

}  // namespace wan
