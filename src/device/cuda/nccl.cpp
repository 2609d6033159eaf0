#include "device/cuda/nccl.hpp"

#include <dlfcn.h>

#include "base/error.hpp"
#include "base/text.hpp"

namespace wan::cuda {
namespace {

constexpr const char* file_name = "libnccl.so.2";
/// The first whose communicators need not block: NCCL_VERSION's own code.
constexpr int least_version = NCCL_VERSION(2, 14, 3);

std::string version_text(int version) {
  return cat(version / 10000, ".", version / 100 % 100, ".", version % 100);
}

template <class Function>
void find(void* library, const char* name, Function& function) {
  function = reinterpret_cast<Function>(dlsym(library, name));
  if (function == nullptr) throw CommError(cat(file_name, " has no ", name, ": ", dlerror()));
}

Nccl load() {
  void* const library = dlopen(file_name, RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);
  if (library == nullptr) {
    throw CommError(cat("several ranks on GPUs need NCCL 2, which cannot be loaded: ", dlerror(),
                        "; name its folder in LD_LIBRARY_PATH, or start one rank"));
  }
  Nccl out;
  find(library, "ncclGetVersion", out.get_version);
  int version = 0;
  if (out.get_version(&version) != ncclSuccess || version < least_version) {
    throw CommError(cat("NCCL ", version_text(version), " was found, needed is ", version_text(least_version),
                        " or later"));
  }
  find(library, "ncclGetUniqueId", out.get_unique_id);
  find(library, "ncclGetErrorString", out.get_error_string);
  find(library, "ncclGetLastError", out.get_last_error);
  find(library, "ncclCommInitRankConfig", out.comm_init_rank_config);
  find(library, "ncclCommGetAsyncError", out.comm_get_async_error);
  find(library, "ncclCommFinalize", out.comm_finalize);
  find(library, "ncclCommDestroy", out.comm_destroy);
  find(library, "ncclCommAbort", out.comm_abort);
  find(library, "ncclGroupStart", out.group_start);
  find(library, "ncclGroupEnd", out.group_end);
  find(library, "ncclAllReduce", out.all_reduce);
  find(library, "ncclReduceScatter", out.reduce_scatter);
  find(library, "ncclAllGather", out.all_gather);
  find(library, "ncclReduce", out.reduce);
  find(library, "ncclBroadcast", out.broadcast);
  find(library, "ncclSend", out.send);
  find(library, "ncclRecv", out.recv);
  return out;
}

}  // namespace

std::string Nccl::describe(ncclResult_t result) const {
  const char* const detail = get_last_error(nullptr);
  const std::string text = cat("NCCL: ", get_error_string(result));
  return detail == nullptr || *detail == '\0' ? text : cat(text, " (", detail, ")");
}

const Nccl& nccl() {
  static const Nccl library = load();
  return library;
}

}  // namespace wan::cuda
