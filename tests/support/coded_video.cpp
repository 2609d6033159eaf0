#include "support/coded_video.hpp"

extern "C" {
#include <libavcodec/avcodec.h>
#include <libavformat/avformat.h>
#include <libavutil/dict.h>
}

#include <stdexcept>

#include "media/av.hpp"
#include "media/colour.hpp"

namespace wan::test {
namespace {

void check(int code, const std::string& what) {
  if (code < 0) throw std::runtime_error(what + ": " + av::message(code));
}

/// A file that is being written, with one video stream.
class Muxer {
 public:
  explicit Muxer(const std::string& path) {
    check(avformat_alloc_output_context2(&format_, nullptr, nullptr, path.c_str()), path);
    format_->flags |= AVFMT_FLAG_BITEXACT;
    check(avio_open(&format_->pb, path.c_str(), AVIO_FLAG_WRITE), path);
    stream_ = avformat_new_stream(format_, nullptr);
  }
  ~Muxer() {
    avio_closep(&format_->pb);
    avformat_free_context(format_);
  }
  Muxer(const Muxer&) = delete;
  Muxer& operator=(const Muxer&) = delete;

  [[nodiscard]] AVStream& stream() { return *stream_; }
  void begin() { check(avformat_write_header(format_, nullptr), "header"); }
  /// `tick` is the clock of the packet's times.
  void write(AVPacket& packet, AVRational tick) {
    av_packet_rescale_ts(&packet, tick, stream_->time_base);
    packet.stream_index = 0;
    packet.pos = -1;
    check(av_interleaved_write_frame(format_, &packet), "write");
  }
  void end() { check(av_write_trailer(format_), "trailer"); }

 private:
  AVFormatContext* format_ = nullptr;
  AVStream* stream_ = nullptr;
};

av::CodecContext open_encoder(const Coding& coding, const Image& first) {
  const AVCodec* const codec = avcodec_find_encoder_by_name(coding.encoder.c_str());
  if (codec == nullptr) throw std::runtime_error("this FFmpeg has no encoder " + coding.encoder);
  av::CodecContext encoder(avcodec_alloc_context3(codec));
  encoder->width = static_cast<int>(first.width);
  encoder->height = static_cast<int>(first.height);
  encoder->pix_fmt = AV_PIX_FMT_YUV420P;
  encoder->framerate = {static_cast<int>(coding.rate.num), static_cast<int>(coding.rate.den)};
  encoder->time_base = av_inv_q(encoder->framerate);
  encoder->thread_count = 1;
  encoder->flags |= AV_CODEC_FLAG_GLOBAL_HEADER | AV_CODEC_FLAG_BITEXACT;
  AVDictionary* options = nullptr;
  for (const auto& [key, value] : coding.options) av_dict_set(&options, key.c_str(), value.c_str(), 0);
  const int code = avcodec_open2(encoder.get(), codec, &options);
  const int unknown = av_dict_count(options);
  av_dict_free(&options);
  check(code, coding.encoder);
  if (unknown != 0) throw std::runtime_error(coding.encoder + " does not know all options");
  return encoder;
}

}  // namespace

void write_coded(const std::string& path, const std::vector<Image>& frames, const Coding& coding) {
  av::silence();
  const av::CodecContext encoder = open_encoder(coding, frames.front());
  Muxer muxer(path);
  muxer.stream().time_base = encoder->time_base;
  muxer.stream().avg_frame_rate = encoder->framerate;
  check(avcodec_parameters_from_context(muxer.stream().codecpar, encoder.get()), "stream");
  muxer.begin();
  const av::Frame frame = av::new_frame();
  frame->format = encoder->pix_fmt;
  frame->width = encoder->width;
  frame->height = encoder->height;
  check(av_frame_get_buffer(frame.get(), 0), "frame");
  const av::Packet packet = av::new_packet();
  av::FromRgb from_rgb;
  for (std::size_t i = 0; i <= frames.size(); ++i) {
    if (i < frames.size()) {
      check(av_frame_make_writable(frame.get()), "frame");
      from_rgb.convert(frames[i], *frame);
      frame->pts = coding.times.empty() ? static_cast<std::int64_t>(i) : coding.times[i];
    }
    check(avcodec_send_frame(encoder.get(), i < frames.size() ? frame.get() : nullptr), "encode");
    while (avcodec_receive_packet(encoder.get(), packet.get()) == 0) muxer.write(*packet, encoder->time_base);
  }
  muxer.end();
}

void remux(const std::string& from, const std::string& to) {
  av::silence();
  AVFormatContext* input = nullptr;
  check(avformat_open_input(&input, from.c_str(), nullptr, nullptr), from);
  check(avformat_find_stream_info(input, nullptr), from);
  {
    Muxer muxer(to);
    check(avcodec_parameters_copy(muxer.stream().codecpar, input->streams[0]->codecpar), "stream");
    muxer.stream().codecpar->codec_tag = 0;
    muxer.stream().time_base = input->streams[0]->time_base;
    muxer.stream().avg_frame_rate = input->streams[0]->avg_frame_rate;
    muxer.begin();
    const av::Packet packet = av::new_packet();
    while (av_read_frame(input, packet.get()) == 0) {
      if (packet->stream_index == 0) {
        muxer.write(*packet, input->streams[0]->time_base);
      } else {
        av_packet_unref(packet.get());
      }
    }
    muxer.end();
  }
  avformat_close_input(&input);
}

}  // namespace wan::test
