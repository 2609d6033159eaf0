#include "device/ops/cuda/cudnn_conv.hpp"

#include <algorithm>
#include <future>
#include <map>
#include <optional>
#include <sstream>
#include <tuple>
#include <utility>
#include <vector>

#include "base/text.hpp"
#include "device/ops/cuda/conv_graph.hpp"
#include "device/ops/cuda/cudnn_graph.hpp"
#include "device/ops/cuda/memory.hpp"
#include "device/ops/cuda/race.hpp"
#include "device/ops/cuda/status.hpp"
#include "device/ops/kokkos/frame_stage.hpp"

namespace wan::cuda {
namespace {

/// Kernels of each kind that take part in a race: building one takes some tenths of a second.
constexpr std::size_t racers = 3;
/// Smaller problems end before a choice could pay.
constexpr double flops_worth_a_race = 2e11;

struct Less {
  static auto fields(const ConvProblem& p) {
    return std::tie(p.inputs, p.outputs, p.x, p.y, p.kernel, p.stride, p.padding, p.result);
  }
  bool operator()(const ConvProblem& a, const ConvProblem& b) const { return fields(a) < fields(b); }
};

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
  std::int64_t proposal;
  cudnnHandle_t handle;
  CudnnPlan plan;

  /// The same in every process with the same library.
  [[nodiscard]] std::string name() const { return cat(static_cast<int>(result), " ", proposal); }
};

/// What can solve a problem; more than one until the fastest was chosen.
using Ways = std::vector<Way>;

/// One kind of kernel on its way to some that work.
struct Line {
  ConvResult result;
  std::int64_t next = 0;
  std::vector<Way> found;
};

void keep_only(Ways& ways, std::size_t index) {
  std::swap(ways.front(), ways[index]);
  ways.erase(ways.begin() + 1, ways.end());
}

/// Kernels that also add often cut the outputs into tiles of this many and waste what is over.
bool wastes_tiles(const ConvProblem& p) {
  constexpr std::int64_t tile = 128;
  return p.outputs > tile && p.outputs % tile != 0;
}

}  // namespace

struct CudnnConv::Library {
  explicit Library(cudaStream_t s) : stream(s) { check(cudaGetDevice(&device), "device"); }
  ~Library() {
    known.clear();
    for (cudnnHandle_t handle : handles) cudnnDestroy(handle);
  }
  Library(const Library&) = delete;
  Library& operator=(const Library&) = delete;

  [[nodiscard]] cudnnHandle_t handle(std::size_t number);
  [[nodiscard]] std::optional<Way> build(cudnnHandle_t with, const ConvProblem& p, ConvResult result,
                                         std::int64_t proposal) const;
  void build(const ConvProblem& p, std::vector<Line>& lines, std::size_t most);
  [[nodiscard]] Ways fastest_expected(const ConvProblem& p);
  [[nodiscard]] Ways racers_of(const ConvProblem& p);
  [[nodiscard]] Ways ways_of(const ConvProblem& p, const Choices* choices);
  void run(Workspace& workspace, const Way& way, const ConvProblem& problem, const ConvMemory& memory) const;
  void choose(Workspace& workspace, Ways& ways, Choices& choices, const ConvProblem& problem,
              const ConvMemory& memory) const;

  cudaStream_t stream;
  int device = 0;
  std::vector<cudnnHandle_t> handles;
  std::map<ConvProblem, Ways, Less> known;
};

cudnnHandle_t CudnnConv::Library::handle(std::size_t number) {
  while (handles.size() <= number) {
    cudnnHandle_t made = nullptr;
    check(cudnnCreate(&made), "start");
    handles.push_back(made);
    check(cudnnSetStream(made, stream), "stream");
  }
  return handles[number];
}

std::optional<Way> CudnnConv::Library::build(cudnnHandle_t with, const ConvProblem& p, ConvResult result,
                                             std::int64_t proposal) const {
  check(cudaSetDevice(device), "device");  // a new thread begins with the first one
  std::optional<CudnnPlan> plan = CudnnPlan::build(with, conv_operations(p, result), proposal);
  if (!plan) return std::nullopt;
  return Way{result, proposal, with, std::move(*plan)};
}

/// Adds to each line the next proposals that work, up to `most`. Side by side, since the library compiles
/// each for some tenths of a second; it wants a handle for each thread.
void CudnnConv::Library::build(const ConvProblem& p, std::vector<Line>& lines, std::size_t most) {
  for (;;) {
    std::vector<std::pair<Line*, std::future<std::optional<Way>>>> building;
    for (Line& line : lines) {
      for (std::size_t n = line.found.size(); n < most && line.next < cudnn_proposals; ++n) {
        building.emplace_back(
            &line, std::async(std::launch::async,
                              [this, &p, result = line.result, proposal = line.next++,
                               with = handle(building.size())] { return build(with, p, result, proposal); }));
      }
    }
    if (building.empty()) return;
    for (auto& [line, way] : building) {
      if (std::optional<Way> built = way.get()) line->found.push_back(std::move(*built));
    }
  }
}

Ways CudnnConv::Library::fastest_expected(const ConvProblem& p) {
  std::vector<ConvResult> order = {p.result};
  if (p.result != ConvResult::product)
    order.insert(wastes_tiles(p) ? order.begin() : order.end(), ConvResult::product);
  Ways out;
  for (const ConvResult result : order) {
    for (std::int64_t proposal = 0; out.empty() && proposal < cudnn_proposals; ++proposal) {
      if (std::optional<Way> way = build(handle(0), p, result, proposal)) out.push_back(std::move(*way));
    }
  }
  return out;
}

Ways CudnnConv::Library::racers_of(const ConvProblem& p) {
  std::vector<Line> lines;
  if (p.result != ConvResult::product) lines.push_back({p.result, 0, {}});
  lines.push_back({ConvResult::product, 0, {}});
  build(p, lines, racers);
  Ways out;
  for (Line& line : lines) {
    for (Way& way : line.found) out.push_back(std::move(way));
  }
  return out;
}

/// What can solve the problem: what won before, else what is to race.
Ways CudnnConv::Library::ways_of(const ConvProblem& p, const Choices* choices) {
  if (choices == nullptr || !choices->worth_a_race(flops_of(p), flops_worth_a_race))
    return fastest_expected(p);
  if (const std::optional<std::string> kept = choices->find(text_of(p))) {
    std::istringstream words(*kept);
    int result = 0;
    std::int64_t proposal = 0;
    const bool sensible =
        words >> result >> proposal && proposal >= 0 &&
        (result == static_cast<int>(p.result) || result == static_cast<int>(ConvResult::product));
    std::optional<Way> way;
    if (sensible) way = build(handle(0), p, static_cast<ConvResult>(result), proposal);
    Ways out;
    if (way) out.push_back(std::move(*way));
    if (way) return out;
  }
  return racers_of(p);
}

void CudnnConv::Library::run(Workspace& workspace, const Way& way, const ConvProblem& problem,
                             const ConvMemory& memory) const {
  const Workspace::Scope scope(workspace);
  const bool accumulates = problem.result == ConvResult::accumulated;
  const bool added_later = way.result != problem.result;
  void* const y =
      added_later && accumulates ? workspace.take(results_of(problem) * bytes_of(DType::bf16)) : memory.y;
  CudnnMemory pointers = {{conv_number::x, const_cast<void*>(memory.x)},
                          {conv_number::weight, const_cast<void*>(memory.weight)},
                          {conv_number::y, y}};
  if (way.result != ConvResult::product)
    pointers.emplace_back(conv_number::bias, const_cast<float*>(memory.bias));
  if (way.result == ConvResult::accumulated) pointers.emplace_back(conv_number::before, memory.y);
  way.plan.run(way.handle, workspace, pointers);
  if (!added_later) return;
  const Tensor all(memory.y, DType::bf16, {results_of(problem) / problem.outputs, problem.outputs});
  kernels::add_channel_bias(y, memory.bias, accumulates, all);
}

/// The others are forgotten.
void CudnnConv::Library::choose(Workspace& workspace, Ways& ways, Choices& choices,
                                const ConvProblem& problem, const ConvMemory& memory) const {
  ConvMemory trial = memory;
  const OwnedMemory other(results_of(problem) * bytes_of(DType::bf16));
  if (other.data() == nullptr) return keep_only(ways, 0);
  trial.y = other.data();  // y must not be added to again and again
  const auto winner = race(stream, static_cast<int>(ways.size()), [&](int way) {
    run(workspace, ways[static_cast<std::size_t>(way)], problem, trial);
    return true;
  });
  if (winner) choices.keep(text_of(problem), ways[static_cast<std::size_t>(winner->way)].name());
  keep_only(ways, winner ? static_cast<std::size_t>(winner->way) : 0);
}

CudnnConv::CudnnConv(cudaStream_t stream, Choices* choices) : stream_(stream), choices_(choices) {}

CudnnConv::~CudnnConv() = default;

bool CudnnConv::can(const ConvProblem& problem) {
  if (!library_) library_ = std::make_unique<Library>(stream_);
  const auto [entry, is_new] = library_->known.try_emplace(problem);
  if (is_new) entry->second = library_->ways_of(problem, choices_);
  return !entry->second.empty();
}

void CudnnConv::run(Workspace& workspace, const ConvProblem& problem, const ConvMemory& memory) {
  Ways& ways = library_->known.at(problem);
  if (ways.size() > 1 && choices_ != nullptr) {
    library_->choose(workspace, ways, *choices_, problem, memory);
  }
  library_->run(workspace, ways.front(), problem, memory);
}

}  // namespace wan::cuda
