// What a GPU was busy with, and for how much of the time: a library that the CUDA driver loads into any
// program of ours,
//   CUDA_INJECTION64_PATH=…/libkernel_time.so KERNEL_TIME_S=3 dit_step …
// At the end of the program it prints, for the last KERNEL_TIME_S (3) seconds before the last kernel's end,
// in which share of them a kernel or a copy was under way, and the kernels that took most.
#include <cupti.h>
#include <cxxabi.h>

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <mutex>
#include <string>
#include <vector>

namespace {

constexpr std::size_t buffer_bytes = std::size_t{8} << 20;
constexpr std::size_t most_names = 30;

struct Span {
  std::uint64_t start;  ///< ns
  std::uint64_t end;
  std::string name;
};

struct Kind {
  std::uint64_t ns = 0;
  std::uint64_t calls = 0;
};

std::mutex guard;
std::vector<Span>& spans() {
  static std::vector<Span> all;
  return all;
}

void CUPTIAPI give_buffer(std::uint8_t** buffer, std::size_t* size, std::size_t* most_records) {
  *size = buffer_bytes;
  *most_records = 0;
  *buffer = static_cast<std::uint8_t*>(std::malloc(buffer_bytes));
}

void CUPTIAPI take_buffer(CUcontext, std::uint32_t, std::uint8_t* buffer, std::size_t, std::size_t valid) {
  const std::lock_guard<std::mutex> lock(guard);
  CUpti_Activity* record = nullptr;
  while (cuptiActivityGetNextRecord(buffer, valid, &record) == CUPTI_SUCCESS) {
    if (record->kind == CUPTI_ACTIVITY_KIND_CONCURRENT_KERNEL) {
      const auto* kernel = reinterpret_cast<const CUpti_ActivityKernel9*>(record);
      spans().push_back({kernel->start, kernel->end, kernel->name});
    } else if (record->kind == CUPTI_ACTIVITY_KIND_MEMCPY) {
      const auto* copy = reinterpret_cast<const CUpti_ActivityMemcpy5*>(record);
      spans().push_back({copy->start, copy->end, "copy"});
    } else if (record->kind == CUPTI_ACTIVITY_KIND_MEMSET) {
      const auto* set = reinterpret_cast<const CUpti_ActivityMemset4*>(record);
      spans().push_back({set->start, set->end, "set"});
    }
  }
  std::free(buffer);
}

/// A kernel's name without its arguments.
std::string readable(const std::string& name) {
  int status = 0;
  char* const text = abi::__cxa_demangle(name.c_str(), nullptr, nullptr, &status);
  const std::string out = status == 0 ? text : name;
  std::free(text);
  return out.substr(0, 150);
}

/// ns in which at least one of the spans, sorted by their start, was under way.
std::uint64_t covered(const std::vector<Span>& sorted) {
  std::uint64_t sum = 0;
  std::uint64_t until = 0;
  for (const Span& span : sorted) {
    sum += span.end > until ? span.end - std::max(span.start, until) : 0;
    until = std::max(until, span.end);
  }
  return sum;
}

void report() {
  cuptiActivityFlushAll(1);
  const std::lock_guard<std::mutex> lock(guard);
  std::vector<Span>& all = spans();
  if (all.empty()) return;
  const char* const asked = std::getenv("KERNEL_TIME_S");
  const double window_s = asked == nullptr ? 3 : std::strtod(asked, nullptr);
  std::uint64_t last = 0;
  for (const Span& span : all) last = std::max(last, span.end);
  const std::uint64_t first = last - static_cast<std::uint64_t>(window_s * 1e9);
  all.erase(std::remove_if(all.begin(), all.end(), [&](const Span& span) { return span.end <= first; }),
            all.end());
  for (Span& span : all) span.start = std::max(span.start, first);
  std::sort(all.begin(), all.end(), [](const Span& a, const Span& b) { return a.start < b.start; });

  std::map<std::string, Kind> kinds;
  for (const Span& span : all) {
    Kind& kind = kinds[readable(span.name)];
    kind.ns += span.end - span.start;
    ++kind.calls;
  }
  std::vector<std::pair<std::string, Kind>> sorted(kinds.begin(), kinds.end());
  std::sort(sorted.begin(), sorted.end(),
            [](const auto& a, const auto& b) { return a.second.ns > b.second.ns; });
  if (sorted.size() > most_names) sorted.resize(most_names);
  std::fprintf(stderr, "kernel_time: busy %.2f %% of the last %.3f s, %zu kernels and copies\n",
               1e-7 * static_cast<double>(covered(all)) / window_s, window_s, all.size());
  for (const auto& [name, kind] : sorted) {
    std::fprintf(stderr, "%6.2f %% %9.3f ms %7llu  %s\n", 1e-7 * static_cast<double>(kind.ns) / window_s,
                 1e-6 * static_cast<double>(kind.ns), static_cast<unsigned long long>(kind.calls),
                 name.c_str());
  }
}

}  // namespace

extern "C" __attribute__((visibility("default"))) int InitializeInjection() {
  (void)spans();  // made before, so gone after, what atexit calls
  cuptiActivityRegisterCallbacks(give_buffer, take_buffer);
  for (const CUpti_ActivityKind kind :
       {CUPTI_ACTIVITY_KIND_CONCURRENT_KERNEL, CUPTI_ACTIVITY_KIND_MEMCPY, CUPTI_ACTIVITY_KIND_MEMSET}) {
    cuptiActivityEnable(kind);
  }
  std::atexit(report);
  return 1;
}
