#pragma once
#include <string>
#include <vector>

namespace wan {

/// Everything that is wrong with a configuration, so that the user hears it all at once.
class Complaints {
 public:
  void add(const std::string& key, const std::string& message);

  /// Drops what was said about `key`: a later setting replaced the value.
  void forget(const std::string& key);

  /// Adds `message` under the first of `keys` unless `holds`, or unless one of the keys was complained about
  /// already: then its value is not what the user asked for, and a rule about it would only confuse.
  void require(bool holds, const std::vector<std::string>& keys, const std::string& message);

  /// ConfigError with every complaint, if there is any.
  void throw_if_any() const;

 private:
  std::vector<std::string> keys_;
  std::vector<std::string> messages_;
};

}  // namespace wan
