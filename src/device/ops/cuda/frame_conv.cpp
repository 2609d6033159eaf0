#include <algorithm>
#include <limits>

#include "device/ops/cuda/cuda_frame_ops.hpp"
#include "device/ops/cuda/status.hpp"
#include "device/ops/kokkos/frame_norm_pixels.hpp"
#include "device/ops/kokkos/frame_patches.hpp"
#include "device/ops/kokkos/frame_stage.hpp"

namespace wan {
namespace {

using cuda::ConvProblem;
using cuda::ConvResult;
using cuda::CudaFrameConvWeight;

/// Memory for one block of gathered pixels.
constexpr std::int64_t patch_bytes = 256LL << 20U;

/// Operations below which building a kernel of cuDNN, which each shape needs, is not worth its time.
constexpr std::int64_t enough_work = 1LL << 26U;

/// The problem on frames that were staged: with their history before them, enlarged, and with a row and a
/// column of zeros more where they are halved.
ConvProblem problem_of(const FrameConv& a, const CudaFrameConvWeight& weight) {
  const FrameConvGeometry& g = weight.geometry();
  const bool halves = g.scale == FrameScale::half;
  const std::int64_t enlarged = g.scale == FrameScale::twice ? 2 : 1;
  const std::int64_t more = halves ? 1 : 0;
  const std::int64_t around = g.size == 3 && !halves ? 1 : 0;
  ConvProblem p;
  p.inputs = weight.inputs();
  p.outputs = weight.outputs();
  p.x = {a.front + a.x.shape[0], enlarged * a.x.shape[1] + more, enlarged * a.x.shape[2] + more};
  p.y = {(p.x[0] - g.frames) / g.frame_stride + 1, a.y.shape[1], a.y.shape[2]};
  p.kernel = {g.frames, g.size, g.size};
  p.stride = {g.frame_stride, halves ? 2 : 1, halves ? 2 : 1};
  p.padding = {0, around, around};
  return p;
}

bool aligned_frames(const Tensor& frames) {
  return reinterpret_cast<std::uintptr_t>(frames.data) % 16 == 0;
}

std::int64_t pixels(const cuda::Extents& e) {
  return e[0] * e[1] * e[2];
}

/// Whether the problem is for cuDNN: large enough to be worth it, its elements counted in 32 bits.
bool suits(const ConvProblem& p, std::int64_t taps) {
  const std::int64_t most = std::max(pixels(p.x) * p.inputs, pixels(p.y) * p.outputs);
  return most <= std::numeric_limits<std::int32_t>::max() &&
         2 * pixels(p.y) * p.outputs * p.inputs * taps >= enough_work;
}

/// Whether the result's channels lie in y as cuDNN stores them.
bool stored_in_place(const FrameConv& a, const CudaFrameConvWeight& weight) {
  const FrameConvGeometry& g = weight.geometry();
  return !g.interleave && weight.outputs() == g.outputs && a.y.dtype == DType::bf16 && aligned_frames(a.y);
}

/// What cuDNN is to store: all of it, or the product alone where our kernels put it into another place or
/// dtype.
ConvResult result_of(const FrameConv& a, const CudaFrameConvWeight& weight) {
  if (!stored_in_place(a, weight)) return ConvResult::product;
  return a.accumulate ? ConvResult::accumulated : ConvResult::biased;
}

/// Whether x and the frames before it can be read as they lie.
bool read_in_place(const FrameConv& a, const CudaFrameConvWeight& weight) {
  return (a.front == 0 || a.room_in_front) && weight.geometry().scale == FrameScale::same &&
         weight.inputs() == weight.geometry().inputs && aligned_frames(a.x);
}

}  // namespace

std::unique_ptr<FrameConvWeight> CudaFrameOps::make(const FrameConvGeometry& geometry, DType storage,
                                                    const float* weight, const float* bias) {
  return std::make_unique<CudaFrameConvWeight>(geometry, storage, weight, bias);
}

void CudaFrameOps::run(const FrameConv& a) {
  const Workspace::Scope scope(workspace());
  const auto& weight = dynamic_cast<const CudaFrameConvWeight&>(*a.weight);
  if (!convolve(a, weight)) multiply(a, weight);
}

void CudaFrameOps::run(const FrameNorm& a) {
  if (!kernels::norm_pixels(a)) KokkosFrameOps::run(a);
}

bool CudaFrameOps::convolve(const FrameConv& a, const CudaFrameConvWeight& weight) {
  const FrameConvGeometry& g = weight.geometry();
  ConvProblem problem = problem_of(a, weight);
  problem.result = result_of(a, weight);
  if (a.x.dtype != DType::bf16 || !suits(problem, weight.taps()) || !cudnn_.can(problem)) return false;

  cuda::ConvMemory memory{a.x.data, weight.matrix(), weight.bias(), a.y.data};
  if (read_in_place(a, weight)) {
    const std::int64_t bytes =
        a.front * pixels({1, a.x.shape[1], a.x.shape[2]}) * problem.inputs * bytes_of(DType::bf16);
    void* const front = static_cast<std::byte*>(a.x.data) - bytes;
    cuda::check(cudaMemsetAsync(front, 0, static_cast<std::size_t>(bytes), stream_), "frames of zeros");
    memory.x = front;
  } else {
    const Shape shape{problem.x[0], problem.x[1], problem.x[2], problem.inputs};
    const Tensor staged(workspace().take(shape.elements() * bytes_of(DType::bf16)), DType::bf16, shape);
    kernels::stage_frames(a.x, a.front, g.scale == FrameScale::twice ? 2 : 1, staged);
    memory.x = staged.data;
  }
  if (problem.result != ConvResult::product) {
    cudnn_.run(workspace(), problem, memory);
    return true;
  }
  const Tensor product(workspace().take(pixels(problem.y) * problem.outputs * bytes_of(DType::bf16)),
                       DType::bf16, {pixels(problem.y), problem.outputs});
  memory.y = product.data;
  cudnn_.run(workspace(), problem, memory);
  kernels::place_pixels({g, a.front, a.y.shape[1], a.y.shape[2]}, product, weight.bias(), a.accumulate, 0,
                        a.y);
  return true;
}

void CudaFrameOps::multiply(const FrameConv& a, const CudaFrameConvWeight& weight) {
  const FrameConvGeometry& g = weight.geometry();
  const kernels::PatchGrid grid{g, a.front, a.y.shape[1], a.y.shape[2]};
  const std::int64_t columns = weight.taps() * weight.inputs();
  const std::int64_t pixels = a.y.elements() / g.outputs;
  const std::int64_t row_bytes = columns * bytes_of(a.x.dtype);
  const std::int64_t block =
      std::clamp<std::int64_t>(patch_bytes / row_bytes, 1, std::max<std::int64_t>(pixels, 1));
  const bool is_product = weight.taps() == 1 && g.frame_stride == 1 && a.front == 0 && columns == g.inputs;
  void* const gathered = is_product ? nullptr : workspace().take(block * row_bytes);
  float* const products = workspace().floats(block * g.outputs);
  for (std::int64_t first = 0; first < pixels; first += block) {
    const std::int64_t count = std::min(block, pixels - first);
    Tensor patches(gathered, a.x.dtype, {count, columns});
    if (is_product) {
      patches.data = static_cast<std::byte*>(a.x.data) + first * row_bytes;
    } else {
      kernels::gather_patches(grid, a.x, first, patches);
    }
    cuda::Product p;
    p.rows = count;
    p.inner = columns;
    p.cols = g.outputs;
    p.storage = a.x.dtype;
    p.a = {patches.data, columns};
    p.b = {weight.matrix(), columns, true};
    p.c = products;
    p.c_stride = g.outputs;
    blas_.run(p);
    kernels::place_pixels(grid, {products, DType::f32, {count, g.outputs}}, weight.bias(), a.accumulate,
                          first, a.y);
  }
}

}  // namespace wan
