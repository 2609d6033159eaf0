#pragma once
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace wan {

/// A JSON value. Objects keep the order in which keys were added. Accessors throw Error (code data) on a
/// wrong type.
class Json {
 public:
  using Array = std::vector<Json>;
  using Object = std::vector<std::pair<std::string, Json>>;

  Json() = default;
  Json(std::nullptr_t) {}
  Json(bool value) : value_(value) {}
  Json(int value) : value_(static_cast<std::int64_t>(value)) {}
  Json(std::int64_t value) : value_(value) {}
  Json(double value) : value_(value) {}
  Json(const char* value) : value_(std::string(value)) {}
  Json(std::string value) : value_(std::move(value)) {}
  Json(Array value) : value_(std::move(value)) {}
  Json(Object value) : value_(std::move(value)) {}

  [[nodiscard]] bool is_null() const { return std::holds_alternative<std::monostate>(value_); }
  [[nodiscard]] bool is_bool() const { return std::holds_alternative<bool>(value_); }
  [[nodiscard]] bool is_integer() const { return std::holds_alternative<std::int64_t>(value_); }
  [[nodiscard]] bool is_number() const { return is_integer() || std::holds_alternative<double>(value_); }
  [[nodiscard]] bool is_string() const { return std::holds_alternative<std::string>(value_); }
  [[nodiscard]] bool is_array() const { return std::holds_alternative<Array>(value_); }
  [[nodiscard]] bool is_object() const { return std::holds_alternative<Object>(value_); }

  [[nodiscard]] bool as_bool() const;
  [[nodiscard]] std::int64_t as_integer() const;
  [[nodiscard]] double as_number() const;
  [[nodiscard]] const std::string& as_string() const;
  [[nodiscard]] const Array& as_array() const;
  [[nodiscard]] const Object& as_object() const;

  /// The member, or nullptr if this is no object or has no such key.
  [[nodiscard]] const Json* find(std::string_view key) const;
  /// The member; throws if it is missing, naming the key.
  [[nodiscard]] const Json& at(std::string_view key) const;
  /// Adds or replaces a member; a null value becomes an object first.
  Json& set(std::string key, Json value);
  /// Appends to an array; a null value becomes an array first.
  Json& push(Json value);

  /// One line without `indent`, else pretty with that many spaces. Doubles round-trip; NaN and infinity
  /// become null.
  [[nodiscard]] std::string dump(int indent = -1) const;

  /// Parses one document. Throws DataError(source) on malformed text, duplicate keys or nesting deeper
  /// than 64.
  [[nodiscard]] static Json parse(std::string_view text, const std::string& source);
  /// Reads and parses a file of at most 256 MiB.
  [[nodiscard]] static Json parse_file(const std::string& path);

 private:
  std::variant<std::monostate, bool, std::int64_t, double, std::string, Array, Object> value_;
};

}  // namespace wan
