#include "media/input.hpp"

extern "C" {
#include <libavcodec/avcodec.h>
#include <libavformat/avformat.h>
#include <libavutil/dict.h>
}

#include <algorithm>
#include <new>
#include <vector>

#include "base/text.hpp"
#include "media/media_error.hpp"

namespace wan::av {
namespace {

using Clock = std::chrono::steady_clock;

struct Options {
  ~Options() { av_dict_free(&entries); }
  void set(const char* key, const std::string& value) { av_dict_set(&entries, key, value.c_str(), 0); }
  AVDictionary* entries = nullptr;
};

int past_deadline(void* deadline) {
  return Clock::now() >= *static_cast<const Clock::time_point*>(deadline) ? 1 : 0;
}

}  // namespace

Input::Input(const std::string& path, const MediaLimits& limits) : path_(path), limits_(limits) {
  silence();
  restart_clock();
  format_ = avformat_alloc_context();
  if (format_ == nullptr) throw std::bad_alloc();
  format_->interrupt_callback = {past_deadline, &deadline_};
  Options options;
  options.set("format_whitelist", "mov,mp4,m4a,3gp,3g2,mj2,matroska,webm");
  options.set("protocol_whitelist", "file");
  const int opened = avformat_open_input(&format_, ("file:" + path).c_str(), nullptr, &options.entries);
  if (opened < 0) {
    const bool absent = opened == AVERROR(ENOENT) || opened == AVERROR(EACCES) || opened == AVERROR(EISDIR) ||
                        opened == AVERROR(EIO);
    throw MediaError(path,
                     absent                   ? "unreadable"
                     : opened == AVERROR_EXIT ? "timeout"
                                              : "not_a_video",
                     message(opened));
  }
  try {
    for (unsigned i = 0; i < format_->nb_streams && stream_ == nullptr; ++i) {
      AVStream* const candidate = format_->streams[i];
      const bool cover_art = (candidate->disposition & AV_DISPOSITION_ATTACHED_PIC) != 0;
      if (candidate->codecpar->codec_type == AVMEDIA_TYPE_VIDEO && !cover_art) stream_ = candidate;
    }
    if (stream_ == nullptr)
      throw MediaError(path, "no_video_stream", cat(format_->nb_streams, " streams, none of video"));
    check_size();

    std::vector<Options> per_stream(format_->nb_streams);
    std::vector<AVDictionary*> entries;
    for (Options& one : per_stream) {
      one.set("max_pixels", std::to_string(limits.max_pixels));
      one.set("threads", "1");
      entries.push_back(one.entries);
    }
    const int found = avformat_find_stream_info(format_, entries.data());
    for (std::size_t i = 0; i < per_stream.size(); ++i) per_stream[i].entries = entries[i];
    if (found < 0) throw MediaError(path, "undecodable", message(found));
    check_size();
  } catch (...) {
    avformat_close_input(&format_);
    throw;
  }
}

Input::~Input() {
  avformat_close_input(&format_);
}

void Input::check_size() const {
  const std::int64_t width = stream_->codecpar->width;
  const std::int64_t height = stream_->codecpar->height;
  if (width < 0 || height < 0 || width > limits_.max_side || height > limits_.max_side ||
      width * height > limits_.max_pixels) {
    throw MediaError(path_, "absurd_size",
                     cat(width, "x", height, " pixels; allowed are sides up to ", limits_.max_side, " and ",
                         limits_.max_pixels, " pixels"));
  }
}

bool Input::read(AVPacket& packet) {
  av_packet_unref(&packet);
  const int code = av_read_frame(format_, &packet);
  check_clock();
  // A demuxer takes a failed read for the end of the file.
  const int failure = code < 0 && format_->pb != nullptr ? format_->pb->error : 0;
  if (failure < 0 && failure != AVERROR_EOF) throw MediaError(path_, "unreadable", message(failure));
  return code >= 0;
}

void Input::check_clock() const {
  if (Clock::now() < deadline_) return;
  throw MediaError(path_, "timeout", cat("took more than ", limits_.max_wall_s, " s"));
}

bool Input::of_video(const AVPacket& packet) const {
  return packet.stream_index == stream_->index;
}

bool Input::seek(std::int64_t pts) {
  const int code = av_seek_frame(format_, stream_->index, pts, AVSEEK_FLAG_BACKWARD);
  check_clock();
  return code >= 0;
}

CodecContext Input::open_decoder(int threads) const {
  const AVCodec* const codec = avcodec_find_decoder(stream_->codecpar->codec_id);
  if (codec == nullptr) {
    throw MediaError(path_, "undecodable",
                     cat("no decoder for ", avcodec_get_name(stream_->codecpar->codec_id)));
  }
  CodecContext decoder(avcodec_alloc_context3(codec));
  if (!decoder) throw std::bad_alloc();
  int code = avcodec_parameters_to_context(decoder.get(), stream_->codecpar);
  if (code >= 0) {
    decoder->pkt_timebase = stream_->time_base;
    decoder->thread_count = threads;
    decoder->max_pixels = limits_.max_pixels;
    code = avcodec_open2(decoder.get(), codec, nullptr);
  }
  if (code < 0) throw MediaError(path_, "undecodable", cat(codec->name, ": ", message(code)));
  return decoder;
}

void Input::restart_clock() {
  deadline_ = Clock::now() +
              std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(limits_.max_wall_s));
}

}  // namespace wan::av
