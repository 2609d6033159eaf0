#include "media/png.hpp"

extern "C" {
#include <libavcodec/avcodec.h>
#include <libavutil/frame.h>
}

#include <cstring>
#include <new>

#include "base/file.hpp"
#include "base/text.hpp"
#include "media/av.hpp"
#include "media/colour.hpp"
#include "media/limits.hpp"
#include "media/media_error.hpp"

namespace wan {
namespace {

av::CodecContext new_context(const AVCodec* codec) {
  if (codec == nullptr) throw InternalError("this FFmpeg was built without its PNG codec");
  av::silence();
  av::CodecContext context(avcodec_alloc_context3(codec));
  if (!context) throw std::bad_alloc();
  context->thread_count = 1;
  return context;
}

void check(int code, const char* what) {
  if (code < 0) throw InternalError(cat("PNG: ", what, ": ", av::message(code)));
}

}  // namespace

std::string encode_png(const Image& image) {
  const AVCodec* const codec = avcodec_find_encoder(AV_CODEC_ID_PNG);
  const av::CodecContext context = new_context(codec);
  context->width = static_cast<int>(image.width);
  context->height = static_cast<int>(image.height);
  context->pix_fmt = AV_PIX_FMT_RGB24;
  context->time_base = {1, 1};
  context->flags |= AV_CODEC_FLAG_BITEXACT;
  check(avcodec_open2(context.get(), codec, nullptr), "open");

  const av::Frame frame = av::new_frame();
  frame->format = AV_PIX_FMT_RGB24;
  frame->width = context->width;
  frame->height = context->height;
  check(av_frame_get_buffer(frame.get(), 0), "allocate");
  for (std::int64_t y = 0; y < image.height; ++y) {
    std::memcpy(frame->data[0] + y * frame->linesize[0], image.row(y),
                static_cast<std::size_t>(image.width * 3));
  }
  const av::Packet packet = av::new_packet();
  check(avcodec_send_frame(context.get(), frame.get()), "encode");
  check(avcodec_send_frame(context.get(), nullptr), "finish");
  check(avcodec_receive_packet(context.get(), packet.get()), "encode");
  return {reinterpret_cast<const char*>(packet->data), static_cast<std::size_t>(packet->size)};
}

void write_png(const std::string& path, const Image& image) {
  write_file_atomically(path, encode_png(image));
}

Image decode_png(std::string_view bytes, const std::string& source) {
  const AVCodec* const codec = avcodec_find_decoder(AV_CODEC_ID_PNG);
  const av::CodecContext context = new_context(codec);
  context->max_pixels = MediaLimits{}.max_pixels;
  check(avcodec_open2(context.get(), codec, nullptr), "open");
  const av::Packet packet = av::new_packet();
  check(av_new_packet(packet.get(), static_cast<int>(bytes.size())), "allocate");
  std::memcpy(packet->data, bytes.data(), bytes.size());
  const av::Frame frame = av::new_frame();
  int code = avcodec_send_packet(context.get(), packet.get());
  if (code >= 0) code = avcodec_send_packet(context.get(), nullptr);
  if (code >= 0) code = avcodec_receive_frame(context.get(), frame.get());
  if (code < 0) throw MediaError(source, "undecodable", "PNG: " + av::message(code));
  return av::ToRgb().convert(*frame, source);
}

}  // namespace wan
