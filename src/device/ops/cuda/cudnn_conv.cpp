#include "device/ops/cuda/cudnn_conv.hpp"

#include <algorithm>
#include <map>
#include <tuple>
#include <vector>

#include "base/text.hpp"
#include "device/ops/cuda/cudnn_graph.hpp"
#include "device/ops/cuda/memory.hpp"
#include "device/ops/cuda/race.hpp"
#include "device/ops/kokkos/frame_stage.hpp"

namespace wan::cuda {
namespace {

/// Kernels of each kind that take part in a race: building one takes some tenths of a second.
constexpr std::size_t racers = 3;
/// Smaller problems end before a choice could pay.
constexpr double flops_worth_a_race = 2e11;

/// Numbers of a graph's tensors.
enum Number : std::int64_t { x_ = 1, weight_, bias_, before_, y_, product_, sum_ };

struct Less {
  static auto fields(const ConvProblem& p) {
    return std::tie(p.inputs, p.outputs, p.x, p.y, p.kernel, p.stride, p.padding, p.result);
  }
  bool operator()(const ConvProblem& a, const ConvProblem& b) const { return fields(a) < fields(b); }
};

/// Kernels that see one frame are two-dimensional, with the frames as the batch.
bool flat(const ConvProblem& p) {
  return p.kernel[0] == 1 && p.stride[0] == 1;
}

std::vector<std::int64_t> space(const ConvProblem& p, const Extents& e) {
  return flat(p) ? std::vector<std::int64_t>{e[1], e[2]} : std::vector<std::int64_t>{e[0], e[1], e[2]};
}

/// [count, channels, space…] with channels fastest.
CudnnTensor channels_last(Number number, std::int64_t count, std::int64_t channels,
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

CudnnTensor frames(Number number, const ConvProblem& p, const Extents& e, std::int64_t channels) {
  return channels_last(number, flat(p) ? e[0] : 1, channels, space(p, e));
}

/// What one operation hands to the next.
CudnnTensor between(Number number, const ConvProblem& p) {
  CudnnTensor out = frames(number, p, p.y, p.outputs);
  out.type = CUDNN_DATA_FLOAT;
  out.inner = true;
  return out;
}

CudnnTensor channel_bias(const ConvProblem& p) {
  CudnnTensor out = channels_last(bias_, 1, p.outputs, std::vector<std::int64_t>(space(p, p.y).size(), 1));
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
  const CudnnPart x = described(frames(x_, p, p.x, p.inputs));
  const CudnnPart weight = described(channels_last(weight_, p.outputs, p.inputs, space(p, p.kernel)));
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

std::vector<CudnnPart> operations_of(const ConvProblem& p, ConvResult result) {
  const CudnnTensor y = frames(y_, p, p.y, p.outputs);
  const CudnnTensor before = frames(before_, p, p.y, p.outputs);
  const CudnnTensor product = between(product_, p);
  const CudnnTensor sum = between(sum_, p);
  const bool accumulates = result == ConvResult::accumulated;
  std::vector<CudnnPart> out;
  out.push_back(convolve(p, result == ConvResult::product ? y : product));
  if (result != ConvResult::product) out.push_back(add(product, channel_bias(p), accumulates ? sum : y));
  if (accumulates) out.push_back(add(sum, before, y));
  return out;
}

std::int64_t results_of(const ConvProblem& p) {
  return p.y[0] * p.y[1] * p.y[2] * p.outputs;
}

double flops_of(const ConvProblem& p) {
  return 2.0 * static_cast<double>(results_of(p)) *
         static_cast<double>(p.inputs * p.kernel[0] * p.kernel[1] * p.kernel[2]);
}

std::string text_of(const ConvProblem& p) {
  const auto text = [](const Extents& e) { return cat(e[0], "x", e[1], "x", e[2]); };
  return cat("convolution ", p.inputs, " ", p.outputs, " ", text(p.x), " ", text(p.y), " ", text(p.kernel),
             " ", text(p.stride), " ", text(p.padding), " ", static_cast<int>(p.result));
}

/// A way to solve a problem: a kernel that stores `result`, and what is missing then by our own.
struct Way {
  ConvResult result;
  CudnnPlan plan;
  std::string name;  ///< the same in every process with the same library
};

struct Ways {
  std::vector<Way> ways;
  bool chosen = false;
};

void add_ways(std::vector<Way>& ways, cudnnHandle_t handle, const ConvProblem& p, ConvResult result,
              std::size_t most) {
  std::size_t number = 0;
  for (CudnnPlan& plan : CudnnPlan::build(handle, operations_of(p, result), most)) {
    ways.push_back({result, std::move(plan), cat(static_cast<int>(result), " ", number++)});
  }
}

/// The way expected to be fastest first.
Ways ways_of(cudnnHandle_t handle, const ConvProblem& p, bool raced) {
  // Kernels that also add often cut the outputs into tiles of this many and waste what is over.
  constexpr std::int64_t tile = 128;
  const std::size_t most = raced ? racers : 1;
  Ways out;
  if (p.result != ConvResult::product) add_ways(out.ways, handle, p, p.result, most);
  const std::size_t fused = out.ways.size();
  if (fused == 0 || raced || (p.outputs > tile && p.outputs % tile != 0)) {
    add_ways(out.ways, handle, p, ConvResult::product, most);
  }
  if (p.outputs > tile && p.outputs % tile != 0) {
    std::rotate(out.ways.begin(), out.ways.begin() + static_cast<std::ptrdiff_t>(fused), out.ways.end());
  }
  if (!raced && out.ways.size() > 1) out.ways.erase(out.ways.begin() + 1, out.ways.end());
  return out;
}

void keep_only(Ways& ways, std::size_t index) {
  std::swap(ways.ways.front(), ways.ways[index]);
  ways.ways.erase(ways.ways.begin() + 1, ways.ways.end());
  ways.chosen = true;
}

}  // namespace

struct CudnnConv::Library {
  explicit Library(cudaStream_t s) : stream(s) {
    check(cudnnCreate(&handle), "start");
    check(cudnnSetStream(handle, stream), "stream");
  }
  ~Library() {
    known.clear();
    cudnnDestroy(handle);
  }
  Library(const Library&) = delete;
  Library& operator=(const Library&) = delete;

  void run(Workspace& workspace, const Way& way, const ConvProblem& problem, const ConvMemory& memory) const;
  void choose(Workspace& workspace, Ways& ways, Choices& choices, const ConvProblem& problem,
              const ConvMemory& memory) const;

  cudaStream_t stream;
  cudnnHandle_t handle = nullptr;
  std::map<ConvProblem, Ways, Less> known;
};

void CudnnConv::Library::run(Workspace& workspace, const Way& way, const ConvProblem& problem,
                             const ConvMemory& memory) const {
  const Workspace::Scope scope(workspace);
  const bool accumulates = problem.result == ConvResult::accumulated;
  const bool added_later = way.result != problem.result;
  void* const y =
      added_later && accumulates ? workspace.take(results_of(problem) * bytes_of(DType::bf16)) : memory.y;
  CudnnMemory pointers = {
      {x_, const_cast<void*>(memory.x)}, {weight_, const_cast<void*>(memory.weight)}, {y_, y}};
  if (way.result != ConvResult::product) pointers.emplace_back(bias_, const_cast<float*>(memory.bias));
  if (way.result == ConvResult::accumulated) pointers.emplace_back(before_, memory.y);
  way.plan.run(handle, workspace, pointers);
  if (!added_later) return;
  const Tensor all(memory.y, DType::bf16, {results_of(problem) / problem.outputs, problem.outputs});
  kernels::add_channel_bias(y, memory.bias, accumulates, all);
}

/// The others are forgotten.
void CudnnConv::Library::choose(Workspace& workspace, Ways& ways, Choices& choices,
                                const ConvProblem& problem, const ConvMemory& memory) const {
  if (const std::optional<std::string> kept = choices.find(text_of(problem))) {
    for (std::size_t i = 0; i < ways.ways.size(); ++i) {
      if (ways.ways[i].name == *kept) return keep_only(ways, i);
    }
  }
  ConvMemory trial = memory;
  const DeviceMemory other(results_of(problem) * bytes_of(DType::bf16));
  if (other.data() == nullptr) return keep_only(ways, 0);
  trial.y = other.data();  // y must not be added to again and again
  const auto winner = race(stream, static_cast<int>(ways.ways.size()), [&](int way) {
    run(workspace, ways.ways[static_cast<std::size_t>(way)], problem, trial);
    return true;
  });
  if (winner) choices.keep(text_of(problem), ways.ways[static_cast<std::size_t>(winner->way)].name);
  keep_only(ways, winner ? static_cast<std::size_t>(winner->way) : 0);
}

CudnnConv::CudnnConv(cudaStream_t stream, Choices* choices) : stream_(stream), choices_(choices) {}

CudnnConv::~CudnnConv() = default;

bool CudnnConv::can(const ConvProblem& problem) {
  if (!library_) library_ = std::make_unique<Library>(stream_);
  const auto [entry, is_new] = library_->known.try_emplace(problem);
  if (is_new) {
    const bool raced = choices_ != nullptr && choices_->worth_a_race(flops_of(problem), flops_worth_a_race);
    entry->second = ways_of(library_->handle, problem, raced);
  }
  return !entry->second.ways.empty();
}

void CudnnConv::run(Workspace& workspace, const ConvProblem& problem, const ConvMemory& memory) {
  Ways& ways = library_->known.at(problem);
  if (!ways.chosen && choices_ != nullptr && ways.ways.size() > 1) {
    library_->choose(workspace, ways, *choices_, problem, memory);
  }
  library_->run(workspace, ways.ways.front(), problem, memory);
}

}  // namespace wan::cuda
