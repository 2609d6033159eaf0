#include "config/field.hpp"

#include <cmath>
#include <utility>

#include "base/text.hpp"

namespace wan {

namespace {

template <class... Functions>
struct Overloaded : Functions... {
  using Functions::operator()...;
};
template <class... Functions>
Overloaded(Functions...) -> Overloaded<Functions...>;

Value plain(std::string text) {
  return {std::move(text), false, false, {}};
}

bool contains(const Range& range, double value) {
  if (range.least && (range.above ? value <= *range.least : value < *range.least)) return false;
  return !range.most || value <= *range.most;
}

// Whole limits without an exponent: 1000000 and not 1e+06.
std::string limit_text(double limit) {
  constexpr double exact = 1e15;
  if (std::abs(limit) < exact && limit == std::trunc(limit))
    return std::to_string(static_cast<std::int64_t>(limit));
  return real_text(limit);
}

std::string range_text(const std::string& kind, const Range& range) {
  if (range.least && range.most) {
    if (*range.least == *range.most) return limit_text(*range.least);
    return cat(kind, " in [", limit_text(*range.least), ", ", limit_text(*range.most), "]");
  }
  if (range.least) return cat(kind, range.above ? " > " : " >= ", limit_text(*range.least));
  return kind;
}

template <class Number>
bool assign_number(Number* member, const Range& range, const std::optional<Number>& found) {
  if (!found || !contains(range, static_cast<double>(*found))) return false;
  *member = *found;
  return true;
}

bool assign_text(std::string* member, const Value& value) {
  if (value.is_list || is_null(value)) return false;
  *member = value.text;
  return true;
}

bool assign_choice(const EnumField& field, const Value& value) {
  for (const auto& [spelling, index] : field.spellings) {
    if (!value.is_list && value.text == spelling) {
      field.write(index);
      return true;
    }
  }
  return false;
}

template <class Item>
bool assign_list(std::vector<Item>* member, const Range& range, const Value& value) {
  if (!value.is_list) return false;
  std::vector<Item> out;
  for (const Value& found : value.items) {
    Item item{};
    if (!assign(Field(&item), range, found)) return false;
    out.push_back(std::move(item));
  }
  *member = std::move(out);
  return true;
}

template <class Item>
Value list_value(const std::vector<Item>* member) {
  Value list{"", false, true, {}};
  for (Item item : *member) list.items.push_back(field_value(Field(&item)));
  return list;
}

// Null clears the member; anything else is read as the type it holds.
template <class Inner>
bool assign_optional(std::optional<Inner>* member, const Range& range, const Value& value) {
  if (is_null(value)) {
    member->reset();
    return true;
  }
  Inner inner{};
  if (!assign(Field(&inner), range, value)) return false;
  *member = std::move(inner);
  return true;
}

template <class Inner>
Value optional_value(const std::optional<Inner>* member) {
  if (!*member) return plain("null");
  Inner inner = **member;
  return field_value(Field(&inner));
}

}  // namespace

std::string allowed_text(const Field& field, const Range& range) {
  std::string whole = range_text("a whole number", range);
  std::string real = range_text("a number", range);
  return std::visit(Overloaded{
                        [](bool*) { return std::string("true or false"); },
                        [&](std::int64_t*) { return whole; },
                        [&](double*) { return real; },
                        [](std::string*) { return std::string("a text"); },
                        [&](std::optional<std::int64_t>*) { return "null or " + whole; },
                        [&](std::optional<double>*) { return "null or " + real; },
                        [](std::optional<std::string>*) { return std::string("null or a text"); },
                        [&](std::vector<std::int64_t>*) { return "a list, each " + whole; },
                        [&](std::vector<double>*) { return "a list, each " + real; },
                        [](std::vector<std::string>*) { return std::string("a list of texts"); },
                        [](const EnumField& choice) { return "one of: " + join(choice.names, ", "); },
                    },
                    field);
}

bool assign(const Field& field, const Range& range, const Value& value) {
  return std::visit(
      Overloaded{
          [&](bool* member) {
            const std::optional<bool> found = as_bool(value);
            if (found) *member = *found;
            return found.has_value();
          },
          [&](std::int64_t* member) { return assign_number(member, range, as_integer(value)); },
          [&](double* member) { return assign_number(member, range, as_real(value)); },
          [&](std::string* member) { return assign_text(member, value); },
          [&](std::optional<std::int64_t>* member) { return assign_optional(member, range, value); },
          [&](std::optional<double>* member) { return assign_optional(member, range, value); },
          [&](std::optional<std::string>* member) { return assign_optional(member, range, value); },
          [&](std::vector<std::int64_t>* member) { return assign_list(member, range, value); },
          [&](std::vector<double>* member) { return assign_list(member, range, value); },
          [&](std::vector<std::string>* member) { return assign_list(member, range, value); },
          [&](const EnumField& choice) { return assign_choice(choice, value); },
      },
      field);
}

Value field_value(const Field& field) {
  return std::visit(Overloaded{
                        [](const bool* member) { return plain(*member ? "true" : "false"); },
                        [](const std::int64_t* member) { return plain(std::to_string(*member)); },
                        [](const double* member) { return plain(real_text(*member)); },
                        [](const std::string* member) {
                          return Value{*member, true, false, {}};
                        },
                        [](const std::optional<std::int64_t>* member) { return optional_value(member); },
                        [](const std::optional<double>* member) { return optional_value(member); },
                        [](const std::optional<std::string>* member) { return optional_value(member); },
                        [](const std::vector<std::int64_t>* member) { return list_value(member); },
                        [](const std::vector<double>* member) { return list_value(member); },
                        [](const std::vector<std::string>* member) { return list_value(member); },
                        [](const EnumField& choice) { return plain(choice.names[choice.read()]); },
                    },
                    field);
}

}  // namespace wan
