#include "prep/reject.hpp"

namespace wan {

std::string reject_text(std::string_view reason, std::string_view detail, std::string_view path) {
  const auto drop = [&](std::string_view prefix) {
    if (!prefix.empty() && detail.substr(0, prefix.size()) == prefix &&
        detail.substr(prefix.size(), 2) == ": ") {
      detail.remove_prefix(prefix.size() + 2);
    }
  };
  drop(path);
  drop(reason);
  return std::string(reason) + ": " + std::string(detail);
}

}  // namespace wan
