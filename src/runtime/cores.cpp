#include "runtime/cores.hpp"

#include <sched.h>

#include <algorithm>
#include <cmath>
#include <fstream>
#include <vector>

namespace wan {
namespace {

/// Affinity mask as one int64 0/1 per core: a maximum over ranks is the union.
std::vector<std::int64_t> allowed_mask() {
  cpu_set_t set;
  CPU_ZERO(&set);
  std::vector<std::int64_t> mask(CPU_SETSIZE, 0);
  if (::sched_getaffinity(0, sizeof set, &set) != 0) {
    mask[0] = 1;
    return mask;
  }
  for (std::size_t core = 0; core < CPU_SETSIZE; ++core) mask[core] = CPU_ISSET(core, &set) ? 1 : 0;
  return mask;
}

/// Whole cores that the control group's quota pays for ("200000 100000" microseconds per period is 2); as
/// many as there can be without a quota ("max 100000", or no such file). Containers limit processes so
/// without touching affinity.
int quota_cores() {
  std::ifstream in("/sys/fs/cgroup/cpu.max");
  double quota = 0;
  double period = 0;
  if (!(in >> quota >> period) || quota <= 0 || period <= 0) return CPU_SETSIZE;
  return std::max(1, static_cast<int>(std::lround(quota / period)));
}

int count(const std::vector<std::int64_t>& mask) {
  return static_cast<int>(std::count(mask.begin(), mask.end(), std::int64_t{1}));
}

}  // namespace

int cores_allowed() {
  return std::max(1, std::min(quota_cores(), count(allowed_mask())));
}

int threads_per_rank(const Communicator& node) {
  std::vector<std::int64_t> mask = allowed_mask();
  const int own = count(mask);
  node.all_reduce(Tensor(mask.data(), DType::i64, {static_cast<std::int64_t>(mask.size())}), Reduce::max)
      .wait();
  return std::max(1, std::min(own, std::min(quota_cores(), count(mask)) / node.size()));
}

}  // namespace wan
