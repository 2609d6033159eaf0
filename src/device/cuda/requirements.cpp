#include "device/cuda/requirements.hpp"

#include <algorithm>
#include <cctype>
#include <string_view>

#include "base/error.hpp"
#include "base/text.hpp"
#include "device/out_of_memory.hpp"

namespace wan::cuda {
namespace {

/// bf16 arithmetic and asynchronous copies to shared memory begin with Ampere.
constexpr int least_capability = 80;
/// Kernels, handles and scratch of Kokkos, cuBLASLt and cuDNN, generously: a GPU with less room is in use.
constexpr std::int64_t least_memory = std::int64_t{512} << 20;

std::string version_text(int version) {
  return cat(version / 1000, ".", version % 1000 / 10);
}

std::string capability_text(int capability) {
  return cat(capability / 10, ".", capability % 10);
}

/// Whether code compiled for `architecture` ("90", "90a", "90-real", "90-virtual") runs on a GPU.
bool runs_on(const std::string& architecture, int capability) {
  const auto digits =
      static_cast<std::size_t>(std::find_if(architecture.begin(), architecture.end(),
                                            [](unsigned char c) { return std::isdigit(c) == 0; }) -
                               architecture.begin());
  const int compiled = std::stoi(architecture.substr(0, std::min<std::size_t>(digits, 4)));
  const std::string_view rest = std::string_view(architecture).substr(digits);
  if (!rest.empty() && rest[0] != '-') return compiled == capability;  // of one generation only
  const bool machine_code = rest != "-virtual" && compiled / 10 == capability / 10;
  const bool translatable = rest != "-real";
  return compiled <= capability && (machine_code || translatable);
}

}  // namespace

void require_driver(int driver, int runtime) {
  if (driver == 0) {
    throw CommError(cat("no NVIDIA driver is loaded, needed is one for CUDA ",
                        version_text(runtime / 1000 * 1000), " or later; is this a node with a GPU?"));
  }
  if (driver / 1000 < runtime / 1000) {
    throw CommError(cat("the NVIDIA driver found supports CUDA ", version_text(driver), ", needed is ",
                        version_text(runtime / 1000 * 1000), " or later"));
  }
}

void require_library(const std::string& library, const std::string& found, int found_major,
                     int needed_major) {
  if (found_major == needed_major) return;
  throw CommError(cat(library, " ", found, " was found, needed is ", needed_major,
                      ".x, which this program was compiled with"));
}

int require_gpu(int count, int place, const std::string& reason) {
  if (count > 0) return place % count;
  throw CommError(cat("no GPU was found: ", reason, "; needed is one of compute capability ",
                      capability_text(least_capability), " or later (has the job asked for one?)"));
}

void require_capability(const std::string& gpu, int major, int minor, const std::string& architectures) {
  const int capability = 10 * major + minor;
  if (capability < least_capability) {
    throw CommError(cat(gpu, " has compute capability ", capability_text(capability), ", needed is ",
                        capability_text(least_capability), " or later"));
  }
  const std::vector<std::string> compiled = split(architectures, ';');
  const bool runs = std::any_of(compiled.begin(), compiled.end(), [&](const std::string& architecture) {
    return runs_on(architecture, capability);
  });
  if (runs) return;
  throw CommError(cat(gpu, " has compute capability ", capability_text(capability),
                      ", this build holds kernels for ", join(compiled, ", "),
                      "; needed is one with a Kokkos that was built for ", capability));
}

void require_memory(const std::string& gpu, std::optional<std::int64_t> free, std::int64_t total) {
  if (free && *free >= least_memory) return;
  const auto in_words = [](std::int64_t bytes) { return human_bytes(static_cast<double>(bytes)); };
  throw OutOfMemory(
      least_memory,
      cat(gpu, " is full: of ", in_words(total), " ",
          free ? in_words(*free) + " are free" : "not even what a context takes is free", ", needed are ",
          in_words(least_memory), " to start; another program uses this GPU (nvidia-smi names it)"),
      DeviceMemory{free.value_or(0), total});
}

}  // namespace wan::cuda
