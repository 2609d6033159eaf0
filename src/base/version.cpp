#include "base/version.hpp"

namespace wan {

std::string version_text() {
  return WAN_VERSION_TEXT;
}

}  // namespace wan
