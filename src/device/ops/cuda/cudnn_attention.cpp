#include "device/ops/cuda/cudnn_attention.hpp"

#include <algorithm>

#include "device/ops/attention_scratch.hpp"
#include "device/ops/cuda/product.hpp"
#include "device/ops/cuda/status.hpp"
#include "device/ops/kokkos/busy_share.hpp"

namespace wan::cuda {
namespace {

/// Keys that one block of a GPU's threads takes in cuDNN's backward, which is spread over heads and keys
/// only.
constexpr std::int64_t keys_of_block = 128;
/// Shorter runs spend more on their ends than a fuller GPU gains.
constexpr std::int64_t shortest_run = 1024;

/// Where so much of the GPU is busy, runs are not cut.
constexpr double busy_enough = 0.8;

/// Into how many equal runs a segment's queries are best cut for a backward: few keys alone would leave most
/// of the GPU idle.
std::int64_t runs_for(std::int64_t heads, std::int64_t queries, std::int64_t keys, std::int64_t processors) {
  const std::int64_t blocks = heads * ((keys + keys_of_block - 1) / keys_of_block);
  std::int64_t best = 1;
  double best_share = kernels::busy_share(blocks, processors);
  if (best_share >= busy_enough) return 1;
  for (std::int64_t runs = 2; runs * shortest_run <= queries && best_share < 0.95; ++runs) {
    const double share = kernels::busy_share(runs * blocks, processors);
    if (queries % runs != 0 || share <= best_share) continue;
    best = runs;
    best_share = share;
  }
  return best;
}

/// Heads that a deterministic backward takes at once.
std::int64_t heads_at_once(std::int64_t heads, std::int64_t queries, std::int64_t keys) {
  for (std::int64_t turns = 1; turns < heads; ++turns) {
    if (heads % turns == 0 && heads / turns * queries * keys * 2 <= deterministic_shares)
      return heads / turns;
  }
  return 1;
}

/// The part's lse, packed: the backward kernels of cuDNN before 9.26 read no other layout.
float* packed_lse(Workspace& workspace, const AttentionBackward& a, const kernels::AttentionPart& part,
                  cudaStream_t stream) {
  const std::int64_t heads = a.q.cols() / a.head_dim;
  const std::int64_t queries = part.query_end - part.query_begin;
  float* const from = a.lse.as<float>() + part.query_begin;
  if (queries == a.q.rows()) return from;
  float* const out = workspace.floats(heads * queries);
  const std::size_t width = static_cast<std::size_t>(queries) * sizeof(float);
  check(cudaMemcpy2DAsync(out, width, from, static_cast<std::size_t>(a.q.rows()) * sizeof(float), width,
                          static_cast<std::size_t>(heads), cudaMemcpyDeviceToDevice, stream),
        "attention lse");
  return out;
}

/// The matrix's element at a row and a column.
void* place(const Tensor& tensor, std::int64_t row, std::int64_t col = 0) {
  return static_cast<std::byte*>(tensor.data) + (row * tensor.row_stride + col) * bytes_of(tensor.dtype);
}

bool all_aligned(std::initializer_list<Tensor> matrices) {
  for (const Tensor& matrix : matrices) {
    if (matrix.dtype != DType::bf16 || !aligned(matrix)) return false;
  }
  return true;
}

bool may_fit(std::int64_t head_dim, const kernels::AttentionPart& part) {
  return head_dim % 8 == 0 && head_dim <= 128 && part.last_key_bonus == 0;
}

}  // namespace

CudnnAttention::CudnnAttention(cudaStream_t stream, Choices* choices, bool deterministic,
                               std::int64_t processors)
    : stream_(stream), choices_(choices), deterministic_(deterministic), processors_(processors) {}

AttentionGraphs& CudnnAttention::graphs() {
  if (!graphs_) graphs_ = std::make_unique<AttentionGraphs>(stream_, choices_, deterministic_);
  return *graphs_;
}

bool CudnnAttention::forward(Workspace& workspace, const AttentionForward& a,
                             const kernels::AttentionPart& part) {
  if (!may_fit(a.head_dim, part) || !all_aligned({a.q, a.k, a.v, a.o})) return false;
  AttentionShape shape;
  shape.heads = a.q.cols() / a.head_dim;
  shape.head_dim = a.head_dim;
  shape.runs = part.segments;
  shape.queries = part.queries();
  shape.keys = part.keys();
  shape.stride = {a.q.row_stride, a.k.row_stride, a.v.row_stride, a.o.row_stride};
  shape.lse_stride = a.q.rows();
  shape.scale = a.scale;
  shape.statistics = static_cast<bool>(a.lse);
  AttentionPointers pointers;
  pointers.q = place(a.q, part.query_begin);
  pointers.k = place(a.k, part.key_begin);
  pointers.v = place(a.v, part.key_begin);
  pointers.o = place(a.o, part.query_begin);
  if (shape.statistics) pointers.lse = a.lse.as<float>() + part.query_begin;
  return graphs().run(workspace, shape, pointers);
}

bool CudnnAttention::backward(Workspace& workspace, const AttentionBackward& a,
                              const kernels::AttentionPart& part) {
  if (!may_fit(a.head_dim, part) || !all_aligned({a.q, a.k, a.v, a.o, a.dout, a.dq, a.dk, a.dv}))
    return false;
  const Workspace::Scope scope(workspace);
  const std::int64_t queries = part.query_end - part.query_begin;
  const std::int64_t heads = a.q.cols() / a.head_dim;
  AttentionShape shape;
  shape.heads = deterministic_ ? heads_at_once(heads, queries, part.keys()) : heads;
  shape.head_dim = a.head_dim;
  shape.shared_keys = part.segments == 1;
  shape.runs = part.segments == 1 ? runs_for(shape.heads, queries, part.keys(), processors_) : part.segments;
  shape.queries = queries / shape.runs;
  shape.keys = part.keys();
  shape.stride = {a.q.row_stride,    a.k.row_stride,  a.v.row_stride,  a.o.row_stride,
                  a.dout.row_stride, a.dq.row_stride, a.dk.row_stride, a.dv.row_stride};
  shape.lse_stride = queries;
  shape.scale = a.scale;
  shape.backward = true;
  float* const lse = packed_lse(workspace, a, part, stream_);
  for (std::int64_t head = 0; head < heads; head += shape.heads) {
    const std::int64_t col = head * a.head_dim;
    AttentionPointers pointers;
    pointers.q = place(a.q, part.query_begin, col);
    pointers.k = place(a.k, part.key_begin, col);
    pointers.v = place(a.v, part.key_begin, col);
    pointers.o = place(a.o, part.query_begin, col);
    pointers.lse = lse + head * queries;
    pointers.dout = place(a.dout, part.query_begin, col);
    pointers.dq = place(a.dq, part.query_begin, col);
    pointers.dk = place(a.dk, part.key_begin, col);
    pointers.dv = place(a.dv, part.key_begin, col);
    if (!graphs().run(workspace, shape, pointers)) return false;
  }
  return true;
}

}  // namespace wan::cuda
