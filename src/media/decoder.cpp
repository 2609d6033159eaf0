#include "media/decoder.hpp"

extern "C" {
#include <libavcodec/avcodec.h>
#include <libavformat/avformat.h>
#include <libavutil/version.h>
}

#include "media/media_error.hpp"

namespace wan::av {
namespace {

bool is_key(const AVFrame& frame) {
#if LIBAVUTIL_VERSION_INT >= AV_VERSION_INT(58, 7, 100)
  return (frame.flags & AV_FRAME_FLAG_KEY) != 0;
#else
  return frame.key_frame != 0;
#endif
}

}  // namespace

Decoder::Decoder(const std::string& path, const MediaLimits& limits, int threads)
    : input_(path, limits),
      codec_(input_.open_decoder(threads)),
      packet_(new_packet()),
      frame_(new_frame()) {}

bool Decoder::next() {
  input_.restart_clock();
  for (;;) {
    const int code = avcodec_receive_frame(codec_.get(), frame_.get());
    if (code == 0) {
      if (is_key(*frame_)) damaged_ = false;
      if (frame_->decode_error_flags != 0 || (frame_->flags & AV_FRAME_FLAG_CORRUPT) != 0) damaged_ = true;
      started_ = true;
      return true;
    }
    if (code == AVERROR_EOF) return false;
    if (code == AVERROR(EAGAIN)) {
      feed();
    } else {
      damaged_ = started_;
      input_.check_clock();
    }
  }
}

bool Decoder::at_whole_picture() const {
  return is_key(*frame_) && frame_->pict_type == AV_PICTURE_TYPE_I;
}

bool Decoder::seek(std::int64_t pts) {
  input_.restart_clock();
  if (!input_.seek(pts)) return false;
  avcodec_flush_buffers(codec_.get());
  packet_waits_ = false;
  drained_ = false;
  started_ = false;
  damaged_ = false;
  return true;
}

void Decoder::feed() {
  while (!packet_waits_ && !drained_) {
    if (!input_.read(*packet_)) {
      drained_ = true;
      avcodec_send_packet(codec_.get(), nullptr);
      return;
    }
    packet_waits_ = input_.of_video(*packet_);
    if (packet_waits_ && (packet_->flags & AV_PKT_FLAG_CORRUPT) != 0) damaged_ = started_;
  }
  const int code = avcodec_send_packet(codec_.get(), packet_.get());
  if (code == AVERROR(EAGAIN)) return;
  if (code < 0) damaged_ = started_;
  packet_waits_ = false;
}

}  // namespace wan::av
