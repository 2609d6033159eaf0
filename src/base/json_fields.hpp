#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/json.hpp"

namespace wan {

/// Reads the members of a configuration object. A member that is absent or null leaves the value as it is;
/// one of the wrong type or out of range is a DataError that names file, key, what was found and what is
/// allowed.
class JsonFields {
 public:
  /// Both must outlive this. Throws DataError if `object` is none.
  JsonFields(const Json& object, const std::string& source);

  void integer(const char* key, std::int64_t& value, std::int64_t lowest, std::int64_t highest) const;
  void integer(const char* key, std::optional<std::int64_t>& value, std::int64_t lowest,
               std::int64_t highest) const;
  /// A finite number.
  void number(const char* key, double& value) const;
  void flag(const char* key, bool& value) const;
  void text(const char* key, std::string& value) const;
  void integers(const char* key, std::vector<std::int64_t>& value, std::int64_t lowest,
                std::int64_t highest) const;
  void flags(const char* key, std::vector<bool>& value) const;
  /// Whether the member is given.
  [[nodiscard]] bool numbers(const char* key, std::vector<float>& value) const;

  /// Refuses a member that is given and not one of `allowed` (with none, any that is given); `why` ends the
  /// message.
  void only(const char* key, const std::vector<Json>& allowed, const std::string& why) const;
  [[noreturn]] void refuse(const char* key, const std::string& found, const std::string& allowed) const;

 private:
  [[nodiscard]] const Json* given(const char* key) const;
  [[nodiscard]] const Json::Array* list(const char* key) const;
  [[nodiscard]] std::int64_t checked_integer(const char* key, const Json& value, std::int64_t lowest,
                                             std::int64_t highest) const;
  [[nodiscard]] double checked_number(const char* key, const Json& value) const;

  const Json& object_;
  const std::string& source_;
};

}  // namespace wan
