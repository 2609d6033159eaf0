#include "device/cuda/identity.hpp"

#include <cstdio>

#include "base/text.hpp"

namespace wan::cuda {

std::string gpu_identity(const std::string& name, const std::array<char, 16>& uuid) {
  std::string id;
  for (const char byte : uuid) {
    char hex[3];
    std::snprintf(hex, sizeof hex, "%02x", static_cast<unsigned>(static_cast<unsigned char>(byte)));
    id += hex;
  }
  return cat(name, " GPU-", id.substr(0, 8), "-", id.substr(8, 4), "-", id.substr(12, 4), "-",
             id.substr(16, 4), "-", id.substr(20));
}

}  // namespace wan::cuda
