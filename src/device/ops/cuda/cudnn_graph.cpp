#include "device/ops/cuda/cudnn_graph.hpp"

#include "base/error.hpp"
#include "base/text.hpp"

namespace wan::cuda {
namespace {

CudnnPart graph_of(cudnnHandle_t handle, const std::vector<CudnnPart>& operations) {
  std::vector<cudnnBackendDescriptor_t> handles;
  for (const CudnnPart& operation : operations) handles.push_back(operation.handle());
  CudnnPart graph(CUDNN_BACKEND_OPERATIONGRAPH_DESCRIPTOR);
  graph.set(CUDNN_ATTR_OPERATIONGRAPH_HANDLE, CUDNN_TYPE_HANDLE, handle);
  graph.set(CUDNN_ATTR_OPERATIONGRAPH_OPS, CUDNN_TYPE_BACKEND_DESCRIPTOR,
            static_cast<std::int64_t>(handles.size()), handles.data());
  graph.finish();
  return graph;
}

/// Ways to run the graph, the one expected to be fastest first.
std::vector<CudnnPart> proposed(const CudnnPart& graph) {
  CudnnPart heuristics(CUDNN_BACKEND_ENGINEHEUR_DESCRIPTOR);
  heuristics.set(CUDNN_ATTR_ENGINEHEUR_OPERATION_GRAPH, graph);
  heuristics.set(CUDNN_ATTR_ENGINEHEUR_MODE, CUDNN_TYPE_HEUR_MODE, CUDNN_HEUR_MODE_A);
  if (!heuristics.try_finish()) return {};
  std::vector<CudnnPart> out;
  std::vector<cudnnBackendDescriptor_t> handles;
  for (std::int64_t i = 0; i < cudnn_proposals; ++i) {
    out.emplace_back(CUDNN_BACKEND_ENGINECFG_DESCRIPTOR);
    handles.push_back(out.back().handle());
  }
  std::int64_t count = 0;
  check(cudnnBackendGetAttribute(heuristics.handle(), CUDNN_ATTR_ENGINEHEUR_RESULTS,
                                 CUDNN_TYPE_BACKEND_DESCRIPTOR, cudnn_proposals, &count, handles.data()),
        "heuristics");
  while (static_cast<std::int64_t>(out.size()) > count) out.pop_back();
  return out;
}

}  // namespace

void check(cudnnStatus_t status, const char* what) {
  if (status == CUDNN_STATUS_SUCCESS) return;
  throw CommError(cat("[", what, "] cuDNN: ", cudnnGetErrorString(status)));
}

CudnnPart::CudnnPart(cudnnBackendDescriptorType_t kind) {
  check(cudnnBackendCreateDescriptor(kind, &handle_), "description");
}

CudnnPart::~CudnnPart() {
  if (handle_ != nullptr) cudnnBackendDestroyDescriptor(handle_);
}

void CudnnPart::set(cudnnBackendAttributeName_t name, const std::vector<std::int64_t>& values) {
  set(name, CUDNN_TYPE_INT64, static_cast<std::int64_t>(values.size()), values.data());
}

void CudnnPart::set(cudnnBackendAttributeName_t name, const CudnnPart& part) {
  set(name, CUDNN_TYPE_BACKEND_DESCRIPTOR, part.handle());
}

void CudnnPart::set(cudnnBackendAttributeName_t name, cudnnBackendAttributeType_t type, std::int64_t count,
                    const void* values) {
  check(cudnnBackendSetAttribute(handle_, name, type, count, values), "attribute");
}

void CudnnPart::finish() {
  check(cudnnBackendFinalize(handle_), "description");
}

bool CudnnPart::try_finish() {
  return cudnnBackendFinalize(handle_) == CUDNN_STATUS_SUCCESS;
}

CudnnPart described(const CudnnTensor& tensor) {
  constexpr std::int64_t alignment = 16;
  CudnnPart out(CUDNN_BACKEND_TENSOR_DESCRIPTOR);
  out.set(CUDNN_ATTR_TENSOR_UNIQUE_ID, {tensor.number});
  out.set(CUDNN_ATTR_TENSOR_DATA_TYPE, CUDNN_TYPE_DATA_TYPE, tensor.type);
  out.set(CUDNN_ATTR_TENSOR_BYTE_ALIGNMENT, {alignment});
  out.set(CUDNN_ATTR_TENSOR_DIMENSIONS, tensor.dims);
  out.set(CUDNN_ATTR_TENSOR_STRIDES, tensor.strides);
  out.set(CUDNN_ATTR_TENSOR_IS_VIRTUAL, CUDNN_TYPE_BOOLEAN, tensor.inner);
  out.finish();
  return out;
}

CudnnPlan::CudnnPlan(CudnnPart plan) : plan_(std::move(plan)) {
  std::int64_t count = 0;
  check(cudnnBackendGetAttribute(plan_.handle(), CUDNN_ATTR_EXECUTION_PLAN_WORKSPACE_SIZE, CUDNN_TYPE_INT64,
                                 1, &count, &scratch_bytes_),
        "scratch memory");
}

std::optional<CudnnPlan> CudnnPlan::build(cudnnHandle_t handle, const std::vector<CudnnPart>& operations,
                                          std::int64_t proposal) {
  const CudnnPart graph = graph_of(handle, operations);
  const std::vector<CudnnPart> ways = proposed(graph);
  if (proposal >= static_cast<std::int64_t>(ways.size())) return std::nullopt;
  CudnnPart plan(CUDNN_BACKEND_EXECUTION_PLAN_DESCRIPTOR);
  plan.set(CUDNN_ATTR_EXECUTION_PLAN_HANDLE, CUDNN_TYPE_HANDLE, handle);
  plan.set(CUDNN_ATTR_EXECUTION_PLAN_ENGINE_CONFIG, ways[static_cast<std::size_t>(proposal)]);
  if (!plan.try_finish()) return std::nullopt;
  return CudnnPlan(std::move(plan));
}

void CudnnPlan::run(cudnnHandle_t handle, Workspace& workspace, const CudnnMemory& memory) const {
  const Workspace::Scope scope(workspace);
  std::vector<std::int64_t> numbers;
  std::vector<void*> pointers;
  for (const auto& [number, pointer] : memory) {
    numbers.push_back(number);
    pointers.push_back(pointer);
  }
  CudnnPart pack(CUDNN_BACKEND_VARIANT_PACK_DESCRIPTOR);
  pack.set(CUDNN_ATTR_VARIANT_PACK_UNIQUE_IDS, numbers);
  pack.set(CUDNN_ATTR_VARIANT_PACK_DATA_POINTERS, CUDNN_TYPE_VOID_PTR,
           static_cast<std::int64_t>(pointers.size()), pointers.data());
  pack.set(CUDNN_ATTR_VARIANT_PACK_WORKSPACE, CUDNN_TYPE_VOID_PTR, workspace.take(scratch_bytes_));
  pack.finish();
  check(cudnnBackendExecute(handle, plan_.handle(), pack.handle()), "graph");
}

}  // namespace wan::cuda
