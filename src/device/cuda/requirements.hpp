#pragma once
#include <cstdint>
#include <optional>
#include <string>

/// What a machine must have for the CUDA body, judged by numbers that others have asked for, so that the
/// judgements can be tested where there is no GPU. All throw CommError saying what was found and what is
/// needed.
namespace wan::cuda {

/// `driver` is the CUDA version that the driver supports (13000 is 13.0; 0 without a driver), `runtime` that
/// of the library in use. A driver serves every runtime of its own major version and of older ones.
void require_driver(int driver, int runtime);

/// Major versions of a library, as loaded and as compiled against; `found` is how the loaded one names
/// itself.
void require_library(const std::string& library, const std::string& found, int found_major, int needed_major);

/// Which of `count` GPUs a process takes that is number `place` on its machine. `reason` is what the runtime
/// says when there is none.
[[nodiscard]] int require_gpu(int count, int place, const std::string& reason);

/// `architectures` is CMAKE_CUDA_ARCHITECTURES: "80;90" holds machine code for each and, from the last before
/// it on, code that a driver can translate for later ones; "90-real" only the first, "90-virtual" only the
/// second.
void require_capability(const std::string& gpu, int major, int minor, const std::string& architectures);

/// Bytes of a GPU's memory; `free` is none where not even a context, which could tell, has room. Throws
/// OutOfMemory if the libraries cannot start in it.
void require_memory(const std::string& gpu, std::optional<std::int64_t> free, std::int64_t total);

}  // namespace wan::cuda
