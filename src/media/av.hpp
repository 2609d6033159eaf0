#pragma once
#include <memory>
#include <string>

struct AVCodecContext;
struct AVFormatContext;
struct AVFrame;
struct AVPacket;
struct SwsContext;

/// Owning handles of libav objects. Internal to this folder; the libav headers stay in its .cpp files.
namespace wan::av {

struct Free {
  void operator()(AVCodecContext* context) const noexcept;
  void operator()(AVFrame* frame) const noexcept;
  void operator()(AVPacket* packet) const noexcept;
  void operator()(SwsContext* context) const noexcept;
};
using CodecContext = std::unique_ptr<AVCodecContext, Free>;
using Frame = std::unique_ptr<AVFrame, Free>;
using Packet = std::unique_ptr<AVPacket, Free>;
using Scaler = std::unique_ptr<SwsContext, Free>;

[[nodiscard]] Frame new_frame();
[[nodiscard]] Packet new_packet();

/// libav's words for one of its negative return codes.
[[nodiscard]] std::string message(int code);

/// Keeps libav from printing: hostile files would fill the log, and what matters is thrown.
void silence();

}  // namespace wan::av
