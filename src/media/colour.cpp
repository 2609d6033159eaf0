#include "media/colour.hpp"

extern "C" {
#include <libavutil/frame.h>
#include <libavutil/pixdesc.h>
#include <libavutil/pixfmt.h>
#include <libswscale/swscale.h>
}

#include <cstring>
#include <new>

#include "base/text.hpp"
#include "media/media_error.hpp"

namespace wan::av {
namespace {

constexpr int scaler_flags = SWS_BICUBIC | SWS_ACCURATE_RND | SWS_FULL_CHR_H_INT | SWS_BITEXACT;
constexpr int unchanged = 1 << 16;  // contrast and saturation of one in 16.16

/// swscale's matrix rows of a colour space; its numbers are those of ISO/IEC 23091-2.
const int* matrix_of(AVColorSpace space) {
  switch (space) {
    case AVCOL_SPC_BT709:
      return sws_getCoefficients(SWS_CS_ITU709);
    case AVCOL_SPC_FCC:
      return sws_getCoefficients(SWS_CS_FCC);
    case AVCOL_SPC_SMPTE240M:
      return sws_getCoefficients(SWS_CS_SMPTE240M);
    case AVCOL_SPC_BT2020_NCL:
    case AVCOL_SPC_BT2020_CL:
      return sws_getCoefficients(SWS_CS_BT2020);
    default:
      return sws_getCoefficients(SWS_CS_ITU601);
  }
}

/// The yuvj formats are their yuv twins with full range.
AVPixelFormat without_range(AVPixelFormat format, bool& full) {
  switch (format) {
    case AV_PIX_FMT_YUVJ420P:
      full = true;
      return AV_PIX_FMT_YUV420P;
    case AV_PIX_FMT_YUVJ422P:
      full = true;
      return AV_PIX_FMT_YUV422P;
    case AV_PIX_FMT_YUVJ444P:
      full = true;
      return AV_PIX_FMT_YUV444P;
    case AV_PIX_FMT_YUVJ440P:
      full = true;
      return AV_PIX_FMT_YUV440P;
    case AV_PIX_FMT_YUVJ411P:
      full = true;
      return AV_PIX_FMT_YUV411P;
    default:
      return format;
  }
}

/// An RGB picture whose rows are aligned and padded as swscale's vector code wants them; kept from frame to
/// frame.
void prepare_rgb(Frame& rgb, int width, int height) {
  if (rgb && rgb->width == width && rgb->height == height) return;
  rgb = new_frame();
  rgb->format = AV_PIX_FMT_RGB24;
  rgb->width = width;
  rgb->height = height;
  if (av_frame_get_buffer(rgb.get(), 0) < 0) throw std::bad_alloc();
}

}  // namespace

Image ToRgb::convert(const AVFrame& frame, const std::string& path) {
  bool full = frame.color_range == AVCOL_RANGE_JPEG;
  const AVPixelFormat format = without_range(static_cast<AVPixelFormat>(frame.format), full);
  scaler_.reset(sws_getCachedContext(scaler_.release(), frame.width, frame.height, format, frame.width,
                                     frame.height, AV_PIX_FMT_RGB24, scaler_flags, nullptr, nullptr,
                                     nullptr));
  if (!scaler_) {
    const char* const name = av_get_pix_fmt_name(format);
    throw MediaError(path, "undecodable",
                     cat("no conversion from ", name == nullptr ? "an unknown format" : name, " to RGB"));
  }
  // Formats without a matrix (RGB, grey) answer -1 here and need none.
  sws_setColorspaceDetails(scaler_.get(), matrix_of(frame.colorspace), full ? 1 : 0,
                           matrix_of(AVCOL_SPC_UNSPECIFIED), 1, 0, unchanged, unchanged);
  prepare_rgb(rgb_, frame.width, frame.height);
  sws_scale(scaler_.get(), frame.data, frame.linesize, 0, frame.height, rgb_->data, rgb_->linesize);
  Image image(frame.width, frame.height);
  for (std::int64_t y = 0; y < image.height; ++y) {
    std::memcpy(image.row(y), rgb_->data[0] + y * rgb_->linesize[0],
                static_cast<std::size_t>(image.width * 3));
  }
  return image;
}

void FromRgb::convert(const Image& image, AVFrame& frame) {
  scaler_.reset(sws_getCachedContext(scaler_.release(), frame.width, frame.height, AV_PIX_FMT_RGB24,
                                     frame.width, frame.height, static_cast<AVPixelFormat>(frame.format),
                                     scaler_flags, nullptr, nullptr, nullptr));
  if (!scaler_) throw InternalError("swscale has no conversion from RGB to 4:2:0");
  const int full = frame.color_range == AVCOL_RANGE_JPEG ? 1 : 0;
  sws_setColorspaceDetails(scaler_.get(), matrix_of(AVCOL_SPC_UNSPECIFIED), 1, matrix_of(frame.colorspace),
                           full, 0, unchanged, unchanged);
  prepare_rgb(rgb_, frame.width, frame.height);
  for (std::int64_t y = 0; y < image.height; ++y) {
    std::memcpy(rgb_->data[0] + y * rgb_->linesize[0], image.row(y),
                static_cast<std::size_t>(image.width * 3));
  }
  sws_scale(scaler_.get(), rgb_->data, rgb_->linesize, 0, frame.height, frame.data, frame.linesize);
}

}  // namespace wan::av
