#include "device/ops/host/frame_conv_weight.hpp"
#include "device/ops/host/host_frame_ops.hpp"
#include "device/ops/kokkos/launch.hpp"
#include "device/ops/kokkos/storage.hpp"
#include "device/ops/kokkos/widened.hpp"

namespace wan {
namespace {

using namespace kernels;  // NOLINT(google-build-using-namespace): a file of kernels
using host::ConvProblem;
using host::Extents;
using host::HostFrameConvWeight;

const HostFrameConvWeight& weight_of(const FrameConv& a) {
  return dynamic_cast<const HostFrameConvWeight&>(*a.weight);
}

Extents extents(const Tensor& frames) {
  return {frames.shape[0], frames.shape[1], frames.shape[2]};
}

ConvProblem problem_of(const FrameConv& a) {
  ConvProblem out;
  out.inputs = a.x.cols();
  out.outputs = a.y.cols();
  out.x = extents(a.x);
  out.y = extents(a.y);
  out.before[0] = a.front;
  out.storage = a.x.dtype;
  out.result = a.y.dtype;
  out.accumulate = a.accumulate;
  return out;
}

/// Pixels that do not see each other, as one line.
Extents as_line(const Extents& e) {
  return {e[0], 1, e[1] * e[2]};
}

/// Row r of y belongs to frame r / pixels; even and odd frames have biases of their own.
template <class Y>
struct AddInterleavedBias {
  std::int64_t channels;
  std::int64_t pixels;
  const float* bias;
  bool accumulate;
  Matrix<Y> y;

  KOKKOS_FORCEINLINE_FUNCTION void operator()(const Lanes& lanes, std::int64_t row) const {
    Y* const out = y.row(row);
    const float* const added = bias + row / pixels % 2 * channels;
    const bool keep = accumulate;
    lanes.each(channels, [=](std::int64_t c) { store(out, c, keep ? load(out, c) + added[c] : added[c]); });
  }
};

/// Pixel `row` of a frame goes to its phase's place among the enlarged frame's pixels.
template <class Y>
struct PlacePhase {
  std::int64_t channels;
  std::int64_t width;
  std::int64_t phase_row;
  std::int64_t phase_column;
  const Y* from;
  Y* to;

  KOKKOS_FORCEINLINE_FUNCTION void operator()(const Lanes& lanes, std::int64_t pixel) const {
    const std::int64_t row = 2 * (pixel / width) + phase_row;
    const std::int64_t column = 2 * (pixel % width) + phase_column;
    const Y* const in = from + pixel * channels;
    Y* const out = to + (row * 2 * width + column) * channels;
    lanes.each(channels, [=](std::int64_t c) { out[c] = in[c]; });
  }
};

}  // namespace

HostFrameOps::HostFrameOps() : native_bf16_(host::bf16_convolutions()) {}

std::unique_ptr<FrameConvWeight> HostFrameOps::make(const FrameConvGeometry& geometry, DType storage,
                                                    const float* weight, const float* bias) {
  const DType compute = native_bf16_ ? storage : DType::f32;
  return std::make_unique<HostFrameConvWeight>(geometry, storage, compute, weight, bias);
}

void HostFrameOps::run(const FrameConv& a) {
  const Workspace::Scope scope(workspace());
  FrameConv wide = a;
  if (weight_of(a).compute() != a.x.dtype) {
    wide.x = kernels::widened(workspace(), a.x);
    wide.y = a.accumulate ? kernels::widened(workspace(), a.y) : kernels::fp32_target(workspace(), a.y);
    wide.x = wide.x.reshaped(a.x.shape);
    wide.y = wide.y.reshaped(a.y.shape);
  }
  const FrameConvGeometry& geometry = a.weight->geometry();
  if (geometry.interleave) {
    run_interleaved(wide);
  } else if (geometry.scale == FrameScale::twice) {
    run_enlarged(wide);
  } else {
    run_plain(wide);
  }
  if (wide.y.data != a.y.data) kernels::store_target(wide.y, a.y);
}

void HostFrameOps::run_plain(const FrameConv& a) {
  const FrameConvGeometry& g = a.weight->geometry();
  ConvProblem problem = problem_of(a);
  problem.kernel = {g.frames, g.size, g.size};
  problem.stride[0] = g.frame_stride;
  if (g.size == 1) {
    problem.x = as_line(problem.x);
    problem.y = as_line(problem.y);
  } else if (g.scale == FrameScale::half) {
    problem.stride[1] = problem.stride[2] = 2;
    problem.after = {0, 1, 1};
  } else {
    problem.before = {a.front, 1, 1};
    problem.after = {0, 1, 1};
  }
  conv_.run(problem, weight_of(a).kernel(0), a.x.data, a.y.data);
}

void HostFrameOps::run_interleaved(const FrameConv& a) {
  const FrameConvGeometry& g = a.weight->geometry();
  const std::vector<float>& bias = weight_of(a).bias();
  with_storage(a.y, [&](auto y) {
    using Y = std::remove_pointer_t<decltype(y.data)>;
    launch_rows("interleaved_bias", a.y.rows(),
                AddInterleavedBias<Y>{a.y.cols(), a.y.shape[1] * a.y.shape[2], bias.data(), a.accumulate, y});
  });
  ConvProblem problem = problem_of(a);
  problem.kernel = {g.frames, 2, 1};
  problem.stride[0] = g.frame_stride;
  problem.x = as_line(problem.x);
  problem.y = {a.y.shape[0] / 2, 2, a.y.shape[1] * a.y.shape[2]};
  problem.before[1] = problem.after[1] = 1;
  problem.accumulate = true;
  conv_.run(problem, weight_of(a).kernel(0), a.x.data, a.y.data);
}

/// Frame by frame, so that a phase stays in the cache until it is in place.
void HostFrameOps::run_enlarged(const FrameConv& a) {
  ConvProblem problem = problem_of(a);
  const std::int64_t height = problem.x[1];
  const std::int64_t width = problem.x[2];
  problem.x[0] = 1;
  problem.y = {1, height, width};
  problem.kernel = {1, 2, 2};
  void* const phase_result = workspace().take(height * width * problem.outputs * bytes_of(a.y.dtype));
  for (std::int64_t frame = 0; frame < a.y.shape[0]; ++frame) {
    const Tensor from = a.x.row_range(frame * height * width, (frame + 1) * height * width);
    const Tensor to = a.y.row_range(frame * 4 * height * width, (frame + 1) * 4 * height * width);
    for (std::int64_t phase = 0; phase < 4; ++phase) {
      const std::int64_t row = phase / 2;
      const std::int64_t column = phase % 2;
      problem.before = {0, 1 - row, 1 - column};
      problem.after = {0, row, column};
      conv_.run(problem, weight_of(a).kernel(static_cast<std::size_t>(phase)), from.data, phase_result);
      with_storage(to, [&](auto y) {
        using Y = std::remove_pointer_t<decltype(y.data)>;
        launch_rows(
            "place_phase", height * width,
            PlacePhase<Y>{problem.outputs, width, row, column, static_cast<const Y*>(phase_result), y.data});
      });
    }
  }
}

}  // namespace wan
