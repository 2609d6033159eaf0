// What a GPU was busy with, and for how much of the time: a library that the CUDA driver loads into any
// program of ours,
//   CUDA_INJECTION64_PATH=…/libkernel_time.so KERNEL_TIME_S=3 dit_step …
// At the end of the program it prints, for the last KERNEL_TIME_S (3) seconds before the last kernel's end,
// in which share of them a kernel or a copy was under way, the kernels that took most, how long the pauses
// between them were, and between which two kernels most of the idle time lies.
#include <cupti.h>
#include <cxxabi.h>

#include <algorithm>
#include <array>
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
constexpr std::size_t most_characters = 150;

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
  return out.substr(0, most_characters);
}

/// A pause of the GPU between two spans.
struct Pause {
  std::uint64_t ns;
  const Span* before;
  const Span* after;
};

/// The pauses between spans that are sorted by their start.
std::vector<Pause> pauses_between(const std::vector<Span>& sorted) {
  std::vector<Pause> out;
  const Span* latest = nullptr;
  for (const Span& span : sorted) {
    if (latest != nullptr && span.start > latest->end)
      out.push_back({span.start - latest->end, latest, &span});
    if (latest == nullptr || span.end > latest->end) latest = &span;
  }
  return out;
}

/// The spans of the last `window_ns`, sorted by their start; the first is cut where the window begins.
std::vector<Span> last_spans(std::vector<Span> all, std::uint64_t window_ns) {
  std::uint64_t last = 0;
  for (const Span& span : all) last = std::max(last, span.end);
  const std::uint64_t first = last - std::min(last, window_ns);
  all.erase(std::remove_if(all.begin(), all.end(), [&](const Span& span) { return span.end <= first; }),
            all.end());
  for (Span& span : all) span.start = std::max(span.start, first);
  std::sort(all.begin(), all.end(), [](const Span& a, const Span& b) { return a.start < b.start; });
  return all;
}

/// The kinds that took most, with their share of the window.
void print_kinds(const std::map<std::string, Kind>& kinds, double window_ns) {
  std::vector<std::pair<std::string, Kind>> sorted(kinds.begin(), kinds.end());
  std::sort(sorted.begin(), sorted.end(),
            [](const auto& a, const auto& b) { return a.second.ns > b.second.ns; });
  if (sorted.size() > most_names) sorted.resize(most_names);
  for (const auto& [name, kind] : sorted) {
    std::fprintf(stderr, "%6.2f %% %9.3f ms %7llu  %s\n", 1e2 * static_cast<double>(kind.ns) / window_ns,
                 1e-6 * static_cast<double>(kind.ns), static_cast<unsigned long long>(kind.calls),
                 name.c_str());
  }
}

void print_pauses(const std::vector<Pause>& pauses, double window_ns) {
  constexpr std::array<std::uint64_t, 4> bounds_us = {2, 10, 100, UINT64_MAX / 1000};
  std::array<Kind, bounds_us.size()> by_length;
  std::map<std::string, Kind> by_place;
  for (const Pause& pause : pauses) {
    const auto* const bound = std::find_if(bounds_us.begin(), bounds_us.end(),
                                           [&](std::uint64_t us) { return pause.ns <= 1000 * us; });
    const auto place = readable(pause.before->name) + " -> " + readable(pause.after->name);
    for (Kind* kind : {&by_length[static_cast<std::size_t>(bound - bounds_us.begin())], &by_place[place]}) {
      kind->ns += pause.ns;
      ++kind->calls;
    }
  }
  for (std::size_t i = 0; i < by_length.size(); ++i) {
    const std::string up_to =
        i + 1 < bounds_us.size() ? "up to " + std::to_string(bounds_us[i]) + " us" : std::string("longer");
    std::fprintf(stderr, "kernel_time: pauses %-12s %7llu, %9.3f ms\n", up_to.c_str(),
                 static_cast<unsigned long long>(by_length[i].calls),
                 1e-6 * static_cast<double>(by_length[i].ns));
  }
  print_kinds(by_place, window_ns);
}

void report() {
  cuptiActivityFlushAll(1);
  const std::lock_guard<std::mutex> lock(guard);
  if (spans().empty()) return;
  const char* const asked = std::getenv("KERNEL_TIME_S");
  const double window_ns = 1e9 * (asked == nullptr ? 3 : std::strtod(asked, nullptr));
  const std::vector<Span> seen = last_spans(spans(), static_cast<std::uint64_t>(window_ns));
  const std::vector<Pause> pauses = pauses_between(seen);
  std::uint64_t idle = 0;
  for (const Pause& pause : pauses) idle += pause.ns;
  std::fprintf(stderr, "kernel_time: busy %.2f %% of the last %.3f s, %zu kernels and copies\n",
               1e2 * (1 - static_cast<double>(idle) / window_ns), 1e-9 * window_ns, seen.size());
  std::map<std::string, Kind> kinds;
  for (const Span& span : seen) {
    Kind& kind = kinds[readable(span.name)];
    kind.ns += span.end - span.start;
    ++kind.calls;
  }
  print_kinds(kinds, window_ns);
  print_pauses(pauses, window_ns);
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
