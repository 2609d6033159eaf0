#include "base/json_fields.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "base/error.hpp"
#include "base/text.hpp"

namespace wan {

JsonFields::JsonFields(const Json& object, const std::string& source) : object_(object), source_(source) {
  if (!object.is_object()) throw DataError(source, "is no JSON object");
}

void JsonFields::refuse(const char* key, const std::string& found, const std::string& allowed) const {
  throw DataError(source_, cat(key, " is ", found.substr(0, 100), ", allowed: ", allowed));
}

const Json* JsonFields::given(const char* key) const {
  const Json* found = object_.find(key);
  return found == nullptr || found->is_null() ? nullptr : found;
}

const Json::Array* JsonFields::list(const char* key) const {
  const Json* found = given(key);
  if (found == nullptr) return nullptr;
  if (!found->is_array()) refuse(key, found->dump(), "a list");
  return &found->as_array();
}

std::int64_t JsonFields::checked_integer(const char* key, const Json& value, std::int64_t lowest,
                                         std::int64_t highest) const {
  if (!value.is_integer() || value.as_integer() < lowest || value.as_integer() > highest) {
    refuse(key, value.dump(), cat("integers from ", lowest, " to ", highest));
  }
  return value.as_integer();
}

double JsonFields::checked_number(const char* key, const Json& value) const {
  if (!value.is_number() || !std::isfinite(value.as_number())) refuse(key, value.dump(), "finite numbers");
  return value.as_number();
}

void JsonFields::integer(const char* key, std::int64_t& value, std::int64_t lowest,
                         std::int64_t highest) const {
  if (const Json* found = given(key)) value = checked_integer(key, *found, lowest, highest);
}

void JsonFields::integer(const char* key, std::optional<std::int64_t>& value, std::int64_t lowest,
                         std::int64_t highest) const {
  if (const Json* found = given(key)) value = checked_integer(key, *found, lowest, highest);
}

void JsonFields::number(const char* key, double& value) const {
  if (const Json* found = given(key)) value = checked_number(key, *found);
}

void JsonFields::flag(const char* key, bool& value) const {
  const Json* found = given(key);
  if (found == nullptr) return;
  if (!found->is_bool()) refuse(key, found->dump(), "true, false");
  value = found->as_bool();
}

void JsonFields::text(const char* key, std::string& value) const {
  const Json* found = given(key);
  if (found == nullptr) return;
  if (!found->is_string()) refuse(key, found->dump(), "a string");
  value = found->as_string();
}

void JsonFields::integers(const char* key, std::vector<std::int64_t>& value, std::int64_t lowest,
                          std::int64_t highest) const {
  const Json::Array* found = list(key);
  if (found == nullptr) return;
  value.clear();
  for (const Json& one : *found) value.push_back(checked_integer(key, one, lowest, highest));
}

void JsonFields::flags(const char* key, std::vector<bool>& value) const {
  const Json::Array* found = list(key);
  if (found == nullptr) return;
  value.clear();
  for (const Json& one : *found) {
    if (!one.is_bool()) refuse(key, one.dump(), "a list of true and false");
    value.push_back(one.as_bool());
  }
}

bool JsonFields::numbers(const char* key, std::vector<float>& value) const {
  const Json::Array* found = list(key);
  if (found == nullptr) return false;
  value.clear();
  for (const Json& one : *found) {
    const double number = checked_number(key, one);
    if (std::abs(number) > static_cast<double>(std::numeric_limits<float>::max())) {
      refuse(key, one.dump(), "numbers that fit fp32");
    }
    value.push_back(static_cast<float>(number));
  }
  return true;
}

void JsonFields::only(const char* key, const std::vector<Json>& allowed, const std::string& why) const {
  const Json* found = given(key);
  if (found == nullptr) return;
  std::vector<std::string> texts;
  for (const Json& one : allowed) texts.push_back(one.dump());
  if (texts.empty()) texts.emplace_back("null");
  if (std::find(texts.begin(), texts.end(), found->dump()) != texts.end()) return;
  refuse(key, found->dump(), join(texts, ", ") + (why.empty() ? "" : " (" + why + ")"));
}

}  // namespace wan
