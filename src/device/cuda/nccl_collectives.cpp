#include "device/cuda/nccl_collectives.hpp"

#include <algorithm>
#include <chrono>
#include <exception>
#include <numeric>
#include <thread>
#include <utility>

#include "base/error.hpp"
#include "base/text.hpp"
#include "device/ops/cuda/status.hpp"

namespace wan {
namespace {

using Clock = std::chrono::steady_clock;
constexpr std::chrono::seconds patience_to_meet(180);
constexpr std::chrono::seconds patience_to_part(10);

bool good(ncclResult_t result) {
  return result == ncclSuccess || result == ncclInProgress;
}

/// Makes calls until one goes wrong.
class Calls {
 public:
  Calls& operator<<(ncclResult_t result) {
    if (good(first_bad_)) first_bad_ = result;
    return *this;
  }
  [[nodiscard]] ncclResult_t result() const { return first_bad_; }

 private:
  ncclResult_t first_bad_ = ncclSuccess;
};

ncclDataType_t type_of(const Tensor& tensor) {
  switch (tensor.dtype) {
    case DType::f32:
      return ncclFloat32;
    case DType::f64:
      return ncclFloat64;
    case DType::bf16:
      return ncclBfloat16;
    case DType::i64:
      return ncclInt64;
    default:
      throw InternalError(cat("[NCCL] cannot reduce ", name_of(tensor.dtype)));
  }
}

ncclRedOp_t operation_of(Reduce op) {
  switch (op) {
    case Reduce::sum:
      return ncclSum;
    case Reduce::max:
      return ncclMax;
    case Reduce::min:
      break;
  }
  return ncclMin;
}

std::byte* at(const Tensor& tensor, std::int64_t element) {
  return tensor.as<std::byte>() + element * bytes_of(tensor.dtype);
}

std::size_t bytes(const Tensor& tensor, std::int64_t elements) {
  return static_cast<std::size_t>(elements * bytes_of(tensor.dtype));
}

/// How a tensor is dealt out: parts of `each` elements, the last one with `rest` more; or otherwise.
struct Parts {
  explicit Parts(const std::vector<std::int64_t>& counts)
      : each(counts.front()),
        rest(counts.back() - each),
        even(rest >= 0 && std::all_of(counts.begin(), counts.end() - 1,
                                      [&](std::int64_t count) { return count == each; })) {}
  std::int64_t each;
  std::int64_t rest;
  bool even;
};

}  // namespace

NcclCollectives::NcclCollectives(const ncclUniqueId& id, int rank, int size, cudaStream_t compute,
                                 std::shared_ptr<NcclWatch> watch)
    : nccl_(cuda::nccl()), rank_(rank), size_(size), compute_(compute), watch_(std::move(watch)) {
  try {
    int least = 0;
    int greatest = 0;
    cuda::check(cudaDeviceGetStreamPriorityRange(&least, &greatest), "join");
    // Messages are what the others wait for, and computing has enough to do besides.
    cuda::check(cudaStreamCreateWithPriority(&stream_, cudaStreamNonBlocking, greatest), "join");
    cuda::check(cudaEventCreateWithFlags(&ready_, cudaEventDisableTiming), "join");
    for (cudaEvent_t& event : done_)
      cuda::check(cudaEventCreateWithFlags(&event, cudaEventDisableTiming), "join");
    join(id);
    watch_->add(*this);
  } catch (...) {
    leave();
    throw;
  }
}

NcclCollectives::~NcclCollectives() {
  leave();
}

void NcclCollectives::join(const ncclUniqueId& id) {
  ncclConfig_t config = NCCL_CONFIG_INITIALIZER;
  config.blocking = 0;
  ncclResult_t state = nccl_.comm_init_rank_config(&comm_, size_, id, rank_, &config);
  for (const auto begin = Clock::now(); good(state);) {
    const ncclResult_t asked = nccl_.comm_get_async_error(comm_, &state);
    if (asked != ncclSuccess) state = asked;
    if (state == ncclSuccess) return;
    if (Clock::now() - begin > patience_to_meet) {
      abort();
      throw CommError(
          cat("NCCL: the ", size_, " ranks did not all meet within ", patience_to_meet.count(), " s"));
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  fail("join", state);
}

void NcclCollectives::leave() noexcept {
  watch_->remove(*this);
  if (comm_ != nullptr && std::uncaught_exceptions() == 0 && good(nccl_.comm_finalize(comm_))) {
    ncclResult_t state = ncclInProgress;
    for (const auto begin = Clock::now(); Clock::now() - begin < patience_to_part;) {
      if (nccl_.comm_get_async_error(comm_, &state) != ncclSuccess || state != ncclInProgress) break;
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
    if (state == ncclSuccess) {
      nccl_.comm_destroy(comm_);
      comm_ = nullptr;
    }
  }
  abort();
  for (cudaEvent_t event : done_) {
    if (event != nullptr) cudaEventDestroy(event);
  }
  if (ready_ != nullptr) cudaEventDestroy(ready_);
  if (stream_ != nullptr) cudaStreamDestroy(stream_);
}

void NcclCollectives::abort() noexcept {
  if (comm_ != nullptr) nccl_.comm_abort(std::exchange(comm_, nullptr));
}

void NcclCollectives::fail(const char* what, ncclResult_t result) {
  const std::string text = cat("[", what, "] ", nccl_.describe(result), ", on rank ", rank_, " of ", size_);
  abort();
  throw CommError(text);
}

void NcclCollectives::require_health() {
  if (comm_ == nullptr) return;
  ncclResult_t state = ncclSuccess;
  const ncclResult_t asked = nccl_.comm_get_async_error(comm_, &state);
  if (asked != ncclSuccess) fail("waiting", asked);
  if (!good(state)) fail("waiting", state);
}

void NcclCollectives::settle(const char* what) {
  ncclResult_t state = ncclInProgress;
  for (;;) {
    const ncclResult_t asked = nccl_.comm_get_async_error(comm_, &state);
    if (asked != ncclSuccess) fail(what, asked);
    if (state == ncclSuccess) return;
    if (state != ncclInProgress) fail(what, state);
    std::this_thread::yield();
  }
}

Event NcclCollectives::enqueue(const char* what, Stream after, const std::function<ncclResult_t()>& calls) {
  if (comm_ == nullptr) throw CommError(cat("[", what, "] NCCL: the group was given up before"));
  auto* const before = after.handle == nullptr ? compute_ : static_cast<cudaStream_t>(after.handle);
  cuda::check(cudaEventRecord(ready_, before), what);
  cuda::check(cudaStreamWaitEvent(stream_, ready_, 0), what);
  Calls all;
  all << nccl_.group_start() << calls() << nccl_.group_end();
  if (!good(all.result())) fail(what, all.result());
  settle(what);
  cudaEvent_t done = done_[next_++ % done_.size()];
  cuda::check(cudaEventRecord(done, stream_), what);
  return {done};
}

Event NcclCollectives::all_reduce(const Tensor& data, Reduce op, Stream after) {
  return enqueue("all_reduce", after, [&] {
    return nccl_.all_reduce(data.data, data.data, static_cast<std::size_t>(data.elements()), type_of(data),
                            operation_of(op), comm_, stream_);
  });
}

Event NcclCollectives::reduce_scatter(const Tensor& in, const Tensor& out,
                                      const std::vector<std::int64_t>& counts, Reduce op, Stream after) {
  const ncclDataType_t type = type_of(in);
  const auto reduce_to = [&](int root, std::int64_t first, std::int64_t count, void* to) {
    return nccl_.reduce(at(in, first), rank_ == root ? to : nullptr, static_cast<std::size_t>(count), type,
                        operation_of(op), root, comm_, stream_);
  };
  return enqueue("reduce_scatter", after, [&] {
    Calls all;
    if (const Parts parts(counts); parts.even) {
      if (parts.each > 0) {
        all << nccl_.reduce_scatter(in.data, out.data, static_cast<std::size_t>(parts.each), type,
                                    operation_of(op), comm_, stream_);
      }
      if (parts.rest > 0) all << reduce_to(size_ - 1, size_ * parts.each, parts.rest, at(out, parts.each));
      return all.result();
    }
    std::int64_t first = 0;
    for (int r = 0; r < size_; ++r) {
      const std::int64_t count = counts[static_cast<std::size_t>(r)];
      if (count > 0) all << reduce_to(r, first, count, out.data);
      first += count;
    }
    return all.result();
  });
}

Event NcclCollectives::all_gather(const Tensor& in, const Tensor& out,
                                  const std::vector<std::int64_t>& counts, Stream after) {
  const auto spread_from = [&](int root, std::int64_t first, std::int64_t count, void* from) {
    std::byte* const to = at(out, first);
    return nccl_.broadcast(rank_ == root ? from : to, to, bytes(out, count), ncclInt8, root, comm_, stream_);
  };
  return enqueue("all_gather", after, [&] {
    Calls all;
    if (const Parts parts(counts); parts.even) {
      if (parts.each > 0) {
        all << nccl_.all_gather(in.data, out.data, bytes(out, parts.each), ncclInt8, comm_, stream_);
      }
      if (parts.rest > 0) all << spread_from(size_ - 1, size_ * parts.each, parts.rest, at(in, parts.each));
      return all.result();
    }
    std::int64_t first = 0;
    for (int r = 0; r < size_; ++r) {
      const std::int64_t count = counts[static_cast<std::size_t>(r)];
      if (count > 0) all << spread_from(r, first, count, in.data);
      first += count;
    }
    return all.result();
  });
}

Event NcclCollectives::broadcast(const Tensor& data, int root, Stream after) {
  return enqueue("broadcast", after, [&] {
    return nccl_.broadcast(data.data, data.data, bytes(data, data.elements()), ncclInt8, root, comm_,
                           stream_);
  });
}

Event NcclCollectives::exchange(const std::vector<Transfer>& sends, const std::vector<Transfer>& receives,
                                Stream after) {
  return enqueue("exchange", after, [&] {
    Calls all;
    for (const Transfer& send : sends) {
      if (send.tensor.elements() == 0) continue;
      all << nccl_.send(send.tensor.data, bytes(send.tensor, send.tensor.elements()), ncclInt8, send.peer,
                        comm_, stream_);
    }
    for (const Transfer& receive : receives) {
      if (receive.tensor.elements() == 0) continue;
      all << nccl_.recv(receive.tensor.data, bytes(receive.tensor, receive.tensor.elements()), ncclInt8,
                        receive.peer, comm_, stream_);
    }
    return all.result();
  });
}

}  // namespace wan
