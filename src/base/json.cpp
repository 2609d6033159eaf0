#include "base/json.hpp"

#include <nlohmann/json.hpp>

#include <limits>
#include <unordered_set>

#include "base/error.hpp"
#include "base/file.hpp"
#include "base/text.hpp"

namespace wan {
namespace {

[[noreturn]] void wrong_type(const char* wanted, const Json& found) {
  std::string text = found.dump();
  if (text.size() > 60) text = text.substr(0, 57) + "...";
  throw Error(ExitCode::data, cat("expected ", wanted, ", found ", text));
}

/// Builds our values while nlohmann parses, so that depth and duplicate keys are refused as they come.
class Builder : public nlohmann::json_sax<nlohmann::json> {
 public:
  explicit Builder(const std::string& source) : source_(source) {}

  Json take() { return std::move(root_); }

  bool null() override { return add(Json()); }
  bool boolean(bool value) override { return add(Json(value)); }
  bool number_integer(std::int64_t value) override { return add(Json(value)); }
  bool number_unsigned(std::uint64_t value) override {
    if (value > static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max())) {
      return add(Json(static_cast<double>(value)));
    }
    return add(Json(static_cast<std::int64_t>(value)));
  }
  bool number_float(double value, const std::string&) override { return add(Json(value)); }
  bool string(std::string& value) override { return add(Json(std::move(value))); }
  bool binary(nlohmann::json::binary_t&) override { return false; }
  bool start_object(std::size_t) override { return open(false); }
  bool start_array(std::size_t) override { return open(true); }
  bool key(std::string& name) override {
    if (!stack_.back().seen.insert(name).second) {
      throw DataError(source_, "key '" + name + "' appears twice");
    }
    stack_.back().key = std::move(name);
    return true;
  }
  bool end_object() override { return close(); }
  bool end_array() override { return close(); }
  bool parse_error(std::size_t position, const std::string&,
                   const nlohmann::detail::exception& error) override {
    throw DataError(source_, cat("not valid JSON at byte ", position, ": ", error.what()));
  }

 private:
  /// An array or object whose end has not been seen. Keys are looked up in a hash set, because a hostile file
  /// may hold millions.
  struct Level {
    bool is_array = false;
    Json::Array array;
    Json::Object object;
    std::string key;
    std::unordered_set<std::string> seen;
  };

  bool open(bool is_array) {
    if (stack_.size() >= 64) throw DataError(source_, "JSON is nested deeper than 64 levels");
    stack_.emplace_back();
    stack_.back().is_array = is_array;
    return true;
  }

  bool close() {
    Level finished = std::move(stack_.back());
    stack_.pop_back();
    return add(finished.is_array ? Json(std::move(finished.array)) : Json(std::move(finished.object)));
  }

  bool add(Json value) {
    if (stack_.empty()) {
      root_ = std::move(value);
    } else if (Level& level = stack_.back(); level.is_array) {
      level.array.push_back(std::move(value));
    } else {
      level.object.emplace_back(std::move(level.key), std::move(value));
    }
    return true;
  }

  const std::string& source_;
  std::vector<Level> stack_;
  Json root_;
};

nlohmann::ordered_json to_nlohmann(const Json& value) {
  if (value.is_bool()) return value.as_bool();
  if (value.is_integer()) return value.as_integer();
  if (value.is_number()) return value.as_number();
  if (value.is_string()) return value.as_string();
  if (value.is_array()) {
    auto out = nlohmann::ordered_json::array();
    for (const Json& item : value.as_array()) out.push_back(to_nlohmann(item));
    return out;
  }
  if (value.is_object()) {
    auto out = nlohmann::ordered_json::object();
    for (const auto& [key, item] : value.as_object()) out[key] = to_nlohmann(item);
    return out;
  }
  return nullptr;
}

}  // namespace

bool Json::as_bool() const {
  if (!is_bool()) wrong_type("true or false", *this);
  return std::get<bool>(value_);
}

std::int64_t Json::as_integer() const {
  if (!is_integer()) wrong_type("an integer", *this);
  return std::get<std::int64_t>(value_);
}

double Json::as_number() const {
  if (is_integer()) return static_cast<double>(std::get<std::int64_t>(value_));
  if (!is_number()) wrong_type("a number", *this);
  return std::get<double>(value_);
}

const std::string& Json::as_string() const {
  if (!is_string()) wrong_type("a string", *this);
  return std::get<std::string>(value_);
}

const Json::Array& Json::as_array() const {
  if (!is_array()) wrong_type("an array", *this);
  return std::get<Array>(value_);
}

const Json::Object& Json::as_object() const {
  if (!is_object()) wrong_type("an object", *this);
  return std::get<Object>(value_);
}

const Json* Json::find(std::string_view key) const {
  if (!is_object()) return nullptr;
  for (const auto& [name, value] : std::get<Object>(value_)) {
    if (name == key) return &value;
  }
  return nullptr;
}

const Json& Json::at(std::string_view key) const {
  const Json* member = find(key);
  if (member == nullptr) throw Error(ExitCode::data, cat("key '", key, "' is missing"));
  return *member;
}

Json& Json::set(std::string key, Json value) {
  if (is_null()) value_ = Object();
  if (!is_object()) wrong_type("an object", *this);
  for (auto& [name, member] : std::get<Object>(value_)) {
    if (name == key) {
      member = std::move(value);
      return *this;
    }
  }
  std::get<Object>(value_).emplace_back(std::move(key), std::move(value));
  return *this;
}

Json& Json::push(Json value) {
  if (is_null()) value_ = Array();
  if (!is_array()) wrong_type("an array", *this);
  std::get<Array>(value_).push_back(std::move(value));
  return *this;
}

std::string Json::dump(int indent) const {
  return to_nlohmann(*this).dump(indent, ' ', false, nlohmann::ordered_json::error_handler_t::replace);
}

Json Json::parse(std::string_view text, const std::string& source) {
  Builder builder(source);
  nlohmann::json::sax_parse(text.begin(), text.end(), &builder);
  return builder.take();
}

Json Json::parse_file(const std::string& path) {
  return parse(read_file(path, std::int64_t{256} << 20), path);
}

}  // namespace wan
