#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace wan {

/// A value as somebody wrote it, not yet typed: the key it is for decides what its characters mean.
struct Value {
  std::string text;      ///< the scalar's characters, quotes removed
  bool quoted = false;   ///< stood in quotes: text, never a number, a bool or null
  bool is_list = false;  ///< then `items` holds the values and `text` is empty
  std::vector<Value> items;
};

/// One `key: value` of a run file or one override. `where` is "file:line" or "command line".
struct Setting {
  std::string key;  ///< dotted, `a.b`
  Value value;
  std::string where;
  bool reset = false;  ///< `~a.b`: back to the default
};

/// Unquoted null, Null, NULL, ~ or nothing at all.
[[nodiscard]] bool is_null(const Value& value);
/// Unquoted true/false, yes/no, on/off in any case.
[[nodiscard]] std::optional<bool> as_bool(const Value& value);
/// Unquoted decimal integer that fits 64 bits; digits may be grouped by underscores.
[[nodiscard]] std::optional<std::int64_t> as_integer(const Value& value);
/// Unquoted finite number, `1e-5` and integers included. Does not depend on the locale.
[[nodiscard]] std::optional<double> as_real(const Value& value);

/// For messages: quotes where they stood, control characters masked, cut after 60 characters.
[[nodiscard]] std::string show(const Value& value);

/// The shortest decimal form that reads back to the same double.
[[nodiscard]] std::string real_text(double value);
/// `value` as YAML that reads back to the same value; text is quoted only where it must be.
[[nodiscard]] std::string yaml_text(const Value& value);

}  // namespace wan
