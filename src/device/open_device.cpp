#include "device/open_device.hpp"

#include <dlfcn.h>

#include <cstdlib>
#include <filesystem>
#include <string>
#include <vector>

#include "base/error.hpp"
#include "base/text.hpp"
#include "device/library_entry.hpp"
#include "device/load_failure.hpp"

namespace wan {
namespace {

namespace fs = std::filesystem;

std::string library_name(DeviceKind kind) {
  return kind == DeviceKind::cuda ? "libwan_device_cuda.so" : "libwan_device_host.so";
}

/// Where the library may lie: beside the program, in the library folder of the same installation (../lib on
/// most systems, ../lib64 on some), else where this build put it.
std::vector<fs::path> candidates(DeviceKind kind) {
  std::error_code failed;
  const fs::path program = fs::read_symlink("/proc/self/exe", failed);
  std::vector<fs::path> out;
  if (!failed) {
    out.push_back(program.parent_path() / library_name(kind));
    out.push_back(program.parent_path().parent_path() / WAN_LIBRARY_FOLDER / library_name(kind));
  }
  out.emplace_back(fs::path(WAN_DEVICE_LIBRARY_DIR) / library_name(kind));
  return out;
}

fs::path library_path(DeviceKind kind) {
  std::vector<std::string> tried;
  for (const fs::path& path : candidates(kind)) {
    if (fs::exists(path)) return path;
    tried.push_back(path.string());
  }
  throw CommError(cat("no ", library_name(kind), "; looked for ", join(tried, ", ")));
}

void* symbol_of(void* library, const char* name, const fs::path& path) {
  void* const symbol = dlsym(library, name);
  if (symbol == nullptr) throw CommError(cat(path.string(), " is no device library: ", dlerror()));
  return symbol;
}

/// Throws if this CPU lacks what the library was compiled for.
void check_cpu(const CpuFeatures& needed, const fs::path& path) {
#if defined(__x86_64__)
  const bool avx2 = __builtin_cpu_supports("avx2") != 0 && __builtin_cpu_supports("fma") != 0;
  const bool avx512 = __builtin_cpu_supports("avx512f") != 0 && __builtin_cpu_supports("avx512bw") != 0 &&
                      __builtin_cpu_supports("avx512dq") != 0 && __builtin_cpu_supports("avx512vl") != 0;
  if ((needed.avx2 && !avx2) || (needed.avx512 && !avx512)) {
    throw CommError(
        cat(path.string(), " uses ", needed.avx512 ? "AVX-512" : "AVX2",
            ", which this machine's CPU does not have; build on this kind of machine, or anywhere with "
            "-DWAN_NATIVE=OFF"));
  }
#else
  static_cast<void>(needed);
  static_cast<void>(path);
#endif
}

}  // namespace

DeviceKind default_device_kind() {
  const char* const asked = std::getenv("WAN_DEVICE");
  const std::string kind = asked == nullptr ? WAN_DEVICE_KIND : asked;
  if (kind == "host") return DeviceKind::host;
  if (kind == "cuda") return DeviceKind::cuda;
  throw ConfigError("WAN_DEVICE", cat("found '", kind, "', allowed: host, cuda"));
}

std::unique_ptr<Device> open_device(const DeviceOptions& options) {
  const fs::path path = library_path(options.kind);
  // Never closed again: the device's code must outlive every object that came from it.
  void* library = dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);
  if (library == nullptr) throw CommError(load_failure(path.string(), dlerror()));
  check_cpu(*static_cast<const CpuFeatures*>(symbol_of(library, cpu_features_symbol, path)), path);
  Device* device = nullptr;
  reinterpret_cast<OpenDeviceFunction>(symbol_of(library, open_device_symbol, path))(options, device);
  return std::unique_ptr<Device>(device);
}

}  // namespace wan
