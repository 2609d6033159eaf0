#include "device/ops/cuda/conv_graph.hpp"

namespace wan::cuda {
namespace {

/// Numbers of what has no memory.
enum : std::int64_t { between_product = conv_number::y + 1, between_sum };

/// Kernels that see one frame are two-dimensional, with the frames as the batch.
bool flat(const ConvProblem& p) {
  return p.kernel[0] == 1 && p.stride[0] == 1;
}

std::vector<std::int64_t> space(const ConvProblem& p, const Extents& e) {
  return flat(p) ? std::vector<std::int64_t>{e[1], e[2]} : std::vector<std::int64_t>{e[0], e[1], e[2]};
}

/// [count, channels, space…] with channels fastest.
CudnnTensor channels_last(std::int64_t number, std::int64_t count, std::int64_t channels,
                          const std::vector<std::int64_t>& space) {
  CudnnTensor out{number, CUDNN_DATA_BFLOAT16, {count, channels}, {0, 1}};
  out.dims.insert(out.dims.end(), space.begin(), space.end());
  out.strides.resize(out.dims.size());
  std::int64_t stride = channels;
  for (std::size_t axis = out.dims.size() - 1; axis >= 2; --axis) {
    out.strides[axis] = stride;
    stride *= out.dims[axis];
  }
  out.strides[0] = stride;
  return out;
}

CudnnTensor frames(std::int64_t number, const ConvProblem& p, const Extents& e, std::int64_t channels) {
  return channels_last(number, flat(p) ? e[0] : 1, channels, space(p, e));
}

/// What one operation hands to the next.
CudnnTensor between(std::int64_t number, const ConvProblem& p) {
  CudnnTensor out = frames(number, p, p.y, p.outputs);
  out.type = CUDNN_DATA_FLOAT;
  out.inner = true;
  return out;
}

CudnnTensor channel_bias(const ConvProblem& p) {
  CudnnTensor out =
      channels_last(conv_number::bias, 1, p.outputs, std::vector<std::int64_t>(space(p, p.y).size(), 1));
  out.type = CUDNN_DATA_FLOAT;
  return out;
}

CudnnPart convolution(const ConvProblem& p) {
  CudnnPart out(CUDNN_BACKEND_CONVOLUTION_DESCRIPTOR);
  const std::vector<std::int64_t> padding = space(p, p.padding);
  out.set(CUDNN_ATTR_CONVOLUTION_SPATIAL_DIMS, {static_cast<std::int64_t>(padding.size())});
  out.set(CUDNN_ATTR_CONVOLUTION_COMP_TYPE, CUDNN_TYPE_DATA_TYPE, CUDNN_DATA_FLOAT);
  out.set(CUDNN_ATTR_CONVOLUTION_CONV_MODE, CUDNN_TYPE_CONVOLUTION_MODE, CUDNN_CROSS_CORRELATION);
  out.set(CUDNN_ATTR_CONVOLUTION_PRE_PADDINGS, padding);
  out.set(CUDNN_ATTR_CONVOLUTION_POST_PADDINGS, padding);
  out.set(CUDNN_ATTR_CONVOLUTION_DILATIONS, std::vector<std::int64_t>(padding.size(), 1));
  out.set(CUDNN_ATTR_CONVOLUTION_FILTER_STRIDES, space(p, p.stride));
  out.finish();
  return out;
}

CudnnPart convolve(const ConvProblem& p, const CudnnTensor& product) {
  const CudnnPart how = convolution(p);
  const CudnnPart x = described(frames(conv_number::x, p, p.x, p.inputs));
  const CudnnPart weight =
      described(channels_last(conv_number::weight, p.outputs, p.inputs, space(p, p.kernel)));
  const CudnnPart y = described(product);
  CudnnPart out(CUDNN_BACKEND_OPERATION_CONVOLUTION_FORWARD_DESCRIPTOR);
  out.set(CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_CONV_DESC, how);
  out.set(CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_X, x);
  out.set(CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_W, weight);
  out.set(CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_Y, y);
  out.set(CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_ALPHA, CUDNN_TYPE_FLOAT, 1.0F);
  out.set(CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_BETA, CUDNN_TYPE_FLOAT, 0.0F);
  out.finish();
  return out;
}

/// y = a + b, b maybe one value for each channel.
CudnnPart add(const CudnnTensor& a, const CudnnTensor& b, const CudnnTensor& y) {
  CudnnPart how(CUDNN_BACKEND_POINTWISE_DESCRIPTOR);
  how.set(CUDNN_ATTR_POINTWISE_MODE, CUDNN_TYPE_POINTWISE_MODE, CUDNN_POINTWISE_ADD);
  how.set(CUDNN_ATTR_POINTWISE_MATH_PREC, CUDNN_TYPE_DATA_TYPE, CUDNN_DATA_FLOAT);
  how.finish();
  const CudnnPart first = described(a);
  const CudnnPart second = described(b);
  const CudnnPart result = described(y);
  CudnnPart out(CUDNN_BACKEND_OPERATION_POINTWISE_DESCRIPTOR);
  out.set(CUDNN_ATTR_OPERATION_POINTWISE_PW_DESCRIPTOR, how);
  out.set(CUDNN_ATTR_OPERATION_POINTWISE_XDESC, first);
  out.set(CUDNN_ATTR_OPERATION_POINTWISE_BDESC, second);
  out.set(CUDNN_ATTR_OPERATION_POINTWISE_YDESC, result);
  out.finish();
  return out;
}

}  // namespace

std::vector<CudnnPart> conv_operations(const ConvProblem& p, ConvResult result) {
  const CudnnTensor y = frames(conv_number::y, p, p.y, p.outputs);
  const CudnnTensor before = frames(conv_number::before, p, p.y, p.outputs);
  const CudnnTensor product = between(between_product, p);
  const CudnnTensor sum = between(between_sum, p);
  const bool accumulates = result == ConvResult::accumulated;
  std::vector<CudnnPart> out;
  out.push_back(convolve(p, result == ConvResult::product ? y : product));
  if (result != ConvResult::product) out.push_back(add(product, channel_bias(p), accumulates ? sum : y));
  if (accumulates) out.push_back(add(sum, before, y));
  return out;
}

}  // namespace wan::cuda
