#pragma once
#include <cstddef>
#include <cstdint>
#include <functional>

namespace wan {

/// Of at most `threads`, as many as `bytes` bytes of work are worth.
[[nodiscard]] int workers_for(std::int64_t bytes, int threads);
/// The same, of all cores that this process may use.
[[nodiscard]] int workers_for(std::int64_t bytes);

/// Calls job(i, worker) for every i < count, on `workers` threads, the calling one among them; `worker` is
/// the thread's number. The first exception ends the sharing out and is thrown here.
void run_jobs(int workers, std::size_t count, const std::function<void(std::size_t, std::size_t)>& job);

}  // namespace wan
