#include "device/load_failure.hpp"

#include <array>

#include "base/text.hpp"

namespace wan {
namespace {

struct Provider {
  const char* library;  ///< how the name of the missing file begins
  const char* needed;
};

constexpr std::array<Provider, 7> providers = {
    {{"libcuda.so", "the NVIDIA driver, which only machines with a GPU have"},
     {"libcudart.so", "the CUDA runtime"},
     {"libcublas", "cuBLAS of the CUDA toolkit"},
     {"libnvrtc", "NVRTC of the CUDA toolkit"},
     {"libcudnn", "cuDNN 9"},
     {"libnccl", "NCCL 2"},
     {"libdnnl", "oneDNN"}}};

}  // namespace

std::string load_failure(const std::string& library, const std::string& reason) {
  // "libcuda.so.1: cannot open shared object file: No such file or directory"
  const std::string missing = reason.substr(0, reason.find(':'));
  for (const Provider& provider : providers) {
    if (missing.rfind(provider.library, 0) != 0) continue;
    return cat("cannot load ", library, ": ", missing, " was not found, needed is ", provider.needed,
               " (on the library path, as the module that the build used sets it)");
  }
  return cat("cannot load ", library, ": ", reason);
}

}  // namespace wan
