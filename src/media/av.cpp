#include "media/av.hpp"

extern "C" {
#include <libavcodec/avcodec.h>
#include <libavutil/log.h>
#include <libswscale/swscale.h>
}

#include <new>

namespace wan::av {

void Free::operator()(AVCodecContext* context) const noexcept {
  avcodec_free_context(&context);
}
void Free::operator()(AVFrame* frame) const noexcept {
  av_frame_free(&frame);
}
void Free::operator()(AVPacket* packet) const noexcept {
  av_packet_free(&packet);
}
void Free::operator()(SwsContext* context) const noexcept {
  sws_freeContext(context);
}

Frame new_frame() {
  Frame frame(av_frame_alloc());
  if (!frame) throw std::bad_alloc();
  return frame;
}

Packet new_packet() {
  Packet packet(av_packet_alloc());
  if (!packet) throw std::bad_alloc();
  return packet;
}

std::string message(int code) {
  char text[AV_ERROR_MAX_STRING_SIZE] = {};
  av_strerror(code, text, sizeof text);
  return text;
}

void silence() {
  av_log_set_level(AV_LOG_QUIET);
}

}  // namespace wan::av
