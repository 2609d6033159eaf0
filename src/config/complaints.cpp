#include "config/complaints.hpp"

#include <algorithm>
#include <cstddef>

#include "base/error.hpp"
#include "base/text.hpp"

namespace wan {

void Complaints::add(const std::string& key, const std::string& message) {
  keys_.push_back(key);
  messages_.push_back(message);
}

void Complaints::forget(const std::string& key) {
  for (std::size_t i = keys_.size(); i-- > 0;) {
    if (keys_[i] != key) continue;
    keys_.erase(keys_.begin() + static_cast<std::ptrdiff_t>(i));
    messages_.erase(messages_.begin() + static_cast<std::ptrdiff_t>(i));
  }
}

void Complaints::require(bool holds, const std::vector<std::string>& keys, const std::string& message) {
  if (holds) return;
  for (const std::string& key : keys) {
    if (std::find(keys_.begin(), keys_.end(), key) != keys_.end()) return;
  }
  add(keys.front(), message);
}

void Complaints::throw_if_any() const {
  if (keys_.empty()) return;
  if (keys_.size() == 1) throw ConfigError(keys_.front(), messages_.front());
  std::string all = cat(keys_.size(), " complaints about the configuration");
  for (std::size_t i = 0; i < keys_.size(); ++i) all += cat("\n  ", keys_[i], ": ", messages_[i]);
  throw ConfigError("", all);
}

}  // namespace wan
