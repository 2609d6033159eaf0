#include "device/ops/cuda/attention_graphs.hpp"

#define CUDNN_FRONTEND_SKIP_JSON_LIB
#include <cudnn_frontend.h>

#include <algorithm>
#include <map>
#include <tuple>
#include <unordered_map>
#include <vector>

#include "base/error.hpp"
#include "base/log.hpp"
#include "base/text.hpp"
#include "device/ops/cuda/race.hpp"

namespace wan::cuda {
namespace {

namespace fe = cudnn_frontend;
using Graph = fe::graph::Graph;
using GraphTensor = std::shared_ptr<fe::graph::Tensor_attributes>;
using Named = std::unordered_map<std::int64_t, void*>;

/// Numbers by which tensors of a graph are named.
enum Name : std::int64_t { q_ = 1, k_, v_, o_, lse_, dout_, dq_, dk_, dv_ };

/// Engines that take part in a race.
constexpr std::int64_t racers = 6;
/// Smaller problems end before a choice could pay.
constexpr double flops_worth_a_race = 5e10;

void check_handle(cudnnStatus_t status, const char* what) {
  if (status != CUDNN_STATUS_SUCCESS)
    throw CommError(cat("[", what, "] cuDNN: ", cudnnGetErrorString(status)));
}

auto fields(const AttentionShape& s) {
  return std::tie(s.heads, s.head_dim, s.runs, s.shared_keys, s.queries, s.keys, s.stride, s.lse_stride,
                  s.scale, s.statistics, s.backward);
}

struct ByFields {
  bool operator()(const AttentionShape& a, const AttentionShape& b) const { return fields(a) < fields(b); }
};

std::string text_of(const AttentionShape& s) {
  return cat(s.backward ? "backward" : "forward", " attention of ", s.runs, " x ", s.queries, " queries, ",
             s.shared_keys ? 1 : s.runs, " x ", s.keys, " keys, ", s.heads, " heads of ", s.head_dim);
}

double flops_of(const AttentionShape& s) {
  return (s.backward ? 10.0 : 4.0) * static_cast<double>(s.heads * s.head_dim * s.runs) *
         static_cast<double>(s.queries) * static_cast<double>(s.keys);
}

/// Our heads are cuDNN's batch and our runs its heads: then lse [heads, runs, queries] is as packed as its
/// backward wants it, and runs that share their keys are what it knows as queries of several heads on one
/// head of keys.
struct Described {
  std::vector<std::int64_t> dims;
  std::vector<std::int64_t> strides;
};

Described rows_of(const AttentionShape& s, std::int64_t runs, std::int64_t rows, std::int64_t stride) {
  return {{s.heads, runs, rows, s.head_dim}, {s.head_dim, rows * stride, stride, 1}};
}
Described queries_of(const AttentionShape& s, std::size_t tensor) {
  return rows_of(s, s.runs, s.queries, s.stride[tensor]);
}
Described keys_of(const AttentionShape& s, std::size_t tensor) {
  return rows_of(s, s.shared_keys ? 1 : s.runs, s.keys, s.stride[tensor]);
}
Described statistics_of(const AttentionShape& s) {
  return {{s.heads, s.runs, s.queries, 1}, {s.lse_stride, s.queries, 1, 1}};
}

GraphTensor input(Graph& graph, Name name, const Described& described,
                  fe::DataType_t type = fe::DataType_t::BFLOAT16) {
  return graph.tensor(fe::graph::Tensor_attributes()
                          .set_uid(name)
                          .set_data_type(type)
                          .set_dim(described.dims)
                          .set_stride(described.strides));
}

void set_output(const GraphTensor& tensor, Name name, const Described& described,
                fe::DataType_t type = fe::DataType_t::BFLOAT16) {
  tensor->set_output(true)
      .set_uid(name)
      .set_data_type(type)
      .set_dim(described.dims)
      .set_stride(described.strides);
}

void describe_forward(Graph& graph, const AttentionShape& s) {
  const GraphTensor q = input(graph, q_, queries_of(s, 0));
  const GraphTensor k = input(graph, k_, keys_of(s, 1));
  const GraphTensor v = input(graph, v_, keys_of(s, 2));
  const auto [o, lse] = graph.sdpa(
      q, k, v, fe::graph::SDPA_attributes().set_generate_stats(s.statistics).set_attn_scale(s.scale));
  set_output(o, o_, queries_of(s, 3));
  if (s.statistics) set_output(lse, lse_, statistics_of(s), fe::DataType_t::FLOAT);
}

void describe_backward(Graph& graph, const AttentionShape& s, bool deterministic) {
  const GraphTensor q = input(graph, q_, queries_of(s, 0));
  const GraphTensor k = input(graph, k_, keys_of(s, 1));
  const GraphTensor v = input(graph, v_, keys_of(s, 2));
  const GraphTensor o = input(graph, o_, queries_of(s, 3));
  const GraphTensor dout = input(graph, dout_, queries_of(s, 4));
  const GraphTensor lse = input(graph, lse_, statistics_of(s), fe::DataType_t::FLOAT);
  const auto [dq, dk, dv] = graph.sdpa_backward(
      q, k, v, o, dout, lse,
      fe::graph::SDPA_backward_attributes().set_attn_scale(s.scale).set_deterministic_algorithm(
          deterministic));
  set_output(dq, dq_, queries_of(s, 5));
  set_output(dk, dk_, keys_of(s, 6));
  set_output(dv, dv_, keys_of(s, 7));
}

Named named(const AttentionShape& s, const AttentionPointers& p) {
  Named out = {{q_, p.q}, {k_, p.k}, {v_, p.v}, {o_, p.o}};
  if (s.statistics || s.backward) out[lse_] = p.lse;
  if (s.backward) out.insert({{dout_, p.dout}, {dq_, p.dq}, {dk_, p.dk}, {dv_, p.dv}});
  return out;
}

/// One shape's graph and its engine; no graph where cuDNN has no kernel.
struct Plan {
  std::unique_ptr<Graph> graph;
  std::int64_t engine = 0;
  std::int64_t scratch_bytes = 0;

  /// Makes the engine ready to run.
  [[nodiscard]] fe::error_t take(std::int64_t index) {
    engine = index;
    if (auto status = graph->build_plan_at_index(index); status.is_bad()) return status;
    return graph->get_workspace_size_plan_at_index(index, scratch_bytes);
  }
  [[nodiscard]] std::string name() const {
    std::string out;
    static_cast<void>(graph->get_plan_name_at_index(engine, out));
    return out;
  }
};

}  // namespace

struct AttentionGraphs::Library {
  Library(cudaStream_t s, Choices* c, bool d) : stream(s), choices(c), deterministic(d) {
    check_handle(cudnnCreate(&handle), "start");
    check_handle(cudnnSetStream(handle, stream), "stream");
  }
  ~Library() {
    plans.clear();
    cudnnDestroy(handle);
  }
  Library(const Library&) = delete;
  Library& operator=(const Library&) = delete;

  [[nodiscard]] fe::error_t describe(Plan& plan, const AttentionShape& shape) const;
  [[nodiscard]] fe::error_t choose(Plan& plan, const AttentionShape& shape, const Named& pointers,
                                   Workspace& workspace) const;
  [[nodiscard]] bool take_known(Plan& plan, const std::string& key) const;
  [[nodiscard]] bool take_fastest(Plan& plan, const std::string& key, const Named& pointers,
                                  Workspace& workspace) const;
  [[nodiscard]] Plan build(const AttentionShape& shape, const Named& pointers, Workspace& workspace) const;
  [[nodiscard]] fe::error_t execute(const Plan& plan, Named pointers, Workspace& workspace) const;

  cudaStream_t stream;
  Choices* choices;
  bool deterministic;
  cudnnHandle_t handle = nullptr;
  std::map<AttentionShape, Plan, ByFields> plans;
};

fe::error_t AttentionGraphs::Library::describe(Plan& plan, const AttentionShape& shape) const {
  plan.graph = std::make_unique<Graph>();
  plan.graph->set_io_data_type(fe::DataType_t::BFLOAT16)
      .set_intermediate_data_type(fe::DataType_t::FLOAT)
      .set_compute_data_type(fe::DataType_t::FLOAT);
  if (shape.backward) {
    describe_backward(*plan.graph, shape, deterministic);
  } else {
    describe_forward(*plan.graph, shape);
  }
  if (auto status = plan.graph->validate(); status.is_bad()) return status;
  if (auto status = plan.graph->build_operation_graph(handle); status.is_bad()) return status;
  if (auto status = plan.graph->create_execution_plans({fe::HeurMode_t::A}); status.is_bad()) return status;
  return plan.graph->check_support();
}

bool AttentionGraphs::Library::take_known(Plan& plan, const std::string& key) const {
  const std::optional<std::string> known = choices->find(key);
  if (!known) return false;
  for (std::int64_t i = 0; i < plan.graph->get_execution_plan_count(); ++i) {
    plan.engine = i;
    if (plan.name() == *known) return plan.take(i).is_good();
  }
  return false;
}

bool AttentionGraphs::Library::take_fastest(Plan& plan, const std::string& key, const Named& pointers,
                                            Workspace& workspace) const {
  const std::int64_t count = std::min(racers, plan.graph->get_execution_plan_count());
  const auto winner = race(stream, static_cast<int>(count), [&](int engine) {
    return plan.take(engine).is_good() && execute(plan, pointers, workspace).is_good();
  });
  if (!winner || plan.take(winner->way).is_bad()) return false;
  choices->keep(key, plan.name());
  return true;
}

fe::error_t AttentionGraphs::Library::choose(Plan& plan, const AttentionShape& shape, const Named& pointers,
                                             Workspace& workspace) const {
  if (choices != nullptr && choices->worth_a_race(flops_of(shape), flops_worth_a_race)) {
    const std::string key = text_of(shape);
    if (take_known(plan, key) || take_fastest(plan, key, pointers, workspace)) return {};
  }
  fe::error_t status = plan.take(0);
  for (std::int64_t i = 1; status.is_bad() && i < plan.graph->get_execution_plan_count(); ++i) {
    status = plan.take(i);
  }
  return status;
}

Plan AttentionGraphs::Library::build(const AttentionShape& shape, const Named& pointers,
                                     Workspace& workspace) const {
  Plan plan;
  fe::error_t status = describe(plan, shape);
  if (status.is_good()) status = choose(plan, shape, pointers, workspace);
  if (status.is_good()) return plan;
  log::warn(cat("cuDNN has no kernel for the ", text_of(shape), " (", status.get_message(),
                "): matrix products do it, more slowly"));
  return {};
}

fe::error_t AttentionGraphs::Library::execute(const Plan& plan, Named pointers, Workspace& workspace) const {
  const Workspace::Scope scope(workspace);
  return plan.graph->execute_plan_at_index(handle, pointers, workspace.take(plan.scratch_bytes), plan.engine);
}

AttentionGraphs::AttentionGraphs(cudaStream_t stream, Choices* choices, bool deterministic)
    : library_(std::make_unique<Library>(stream, choices, deterministic)) {}

AttentionGraphs::~AttentionGraphs() = default;

bool AttentionGraphs::run(Workspace& workspace, const AttentionShape& shape,
                          const AttentionPointers& pointers) {
  const Named named_pointers = named(shape, pointers);
  auto entry = library_->plans.find(shape);
  if (entry == library_->plans.end()) {
    entry = library_->plans.emplace(shape, library_->build(shape, named_pointers, workspace)).first;
  }
  const Plan& plan = entry->second;
  if (!plan.graph) return false;
  fe::error_t status = library_->execute(plan, named_pointers, workspace);
  if (status.is_bad()) throw CommError(cat("[attention] cuDNN: ", status.get_message()));
  return true;
}

}  // namespace wan::cuda
