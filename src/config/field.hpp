#pragma once
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

#include "config/value.hpp"

namespace wan {

/// What a number may be; the default allows every finite one.
struct Range {
  std::optional<double> least;
  std::optional<double> most;
  bool above = false;  ///< `least` itself is not allowed
};

[[nodiscard]] inline Range at_least(double least) {
  return {least, std::nullopt, false};
}
[[nodiscard]] inline Range above(double least) {
  return {least, std::nullopt, true};
}
[[nodiscard]] inline Range within(double least, double most) {
  return {least, most, false};
}
[[nodiscard]] inline Range only(double value) {
  return {value, value, false};
}

/// One value of an enum: the name that is written and the other spellings that are read.
template <class Enum>
struct Choice {
  Enum value;
  const char* name;
  std::vector<const char*> spellings = {};
};

/// The choices of an enum type; specialised beside the enum.
template <class Enum>
const std::vector<Choice<Enum>>& choices_of();

/// The name under which an enum value is written.
template <class Enum>
[[nodiscard]] const char* choice_name(Enum value) {
  for (const Choice<Enum>& choice : choices_of<Enum>()) {
    if (choice.value == value) return choice.name;
  }
  return "";
}

/// An enum member whose type is forgotten: indices into `names`.
struct EnumField {
  std::vector<std::string> names;
  std::vector<std::pair<std::string, std::size_t>> spellings;
  std::function<std::size_t()> read;
  std::function<void(std::size_t)> write;
};

/// A struct member that holds one key's value. The struct is borrowed.
using Field = std::variant<bool*, std::int64_t*, double*, std::string*, std::optional<std::int64_t>*,
                           std::optional<double>*, std::optional<std::string>*, std::vector<std::int64_t>*,
                           std::vector<double>*, std::vector<std::string>*, EnumField>;

template <class Member>
[[nodiscard]] Field make_field(Member& member) {
  if constexpr (std::is_enum_v<Member>) {
    const std::vector<Choice<Member>>& choices = choices_of<Member>();
    EnumField out;
    for (std::size_t i = 0; i < choices.size(); ++i) {
      out.names.emplace_back(choices[i].name);
      out.spellings.emplace_back(choices[i].name, i);
      for (const char* spelling : choices[i].spellings) out.spellings.emplace_back(spelling, i);
    }
    out.read = [&member, &choices] {
      std::size_t i = 0;
      while (i + 1 < choices.size() && choices[i].value != member) ++i;
      return i;
    };
    out.write = [&member, &choices](std::size_t i) { member = choices[i].value; };
    return out;
  } else {
    return &member;
  }
}

/// "a whole number >= 1", "one of: constant, cosine", "null or a number in [0, 1]".
[[nodiscard]] std::string allowed_text(const Field& field, const Range& range);

/// Writes `value` into the member and returns true, or leaves it alone and returns false if type or range is
/// wrong.
[[nodiscard]] bool assign(const Field& field, const Range& range, const Value& value);

/// The member's value in a form that `assign` turns back into the same value.
[[nodiscard]] Value field_value(const Field& field);

}  // namespace wan
