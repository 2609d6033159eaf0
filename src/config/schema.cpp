#include "config/schema.hpp"

#include <cassert>
#include <optional>
#include <utility>

#include "base/error.hpp"
#include "base/text.hpp"
#include "config/interpolation.hpp"

namespace wan {

namespace {

// The reason noted for `key`, or for the nearest group above it that is listed as "group.*".
const std::string* lookup(const std::map<std::string, std::string>& patterns, const std::string& key) {
  if (const auto exact = patterns.find(key); exact != patterns.end()) return &exact->second;
  for (std::size_t end = key.size(); end != std::string::npos && end > 0; end = key.rfind('.', end - 1)) {
    if (const auto found = patterns.find(key.substr(0, end) + ".*"); found != patterns.end())
      return &found->second;
  }
  return nullptr;
}

bool is_off(const Value& value) {
  return is_null(value) || as_bool(value) == false || as_real(value) == 0.0 ||
         (value.is_list && value.items.empty());
}

bool same(const Value& a, const Value& b) {
  return show(a) == show(b);
}

}  // namespace

void Schema::group(const std::string& name, const std::string& help) {
  groups_.push_back({name, help, {}});
}

void Schema::add_field(const std::string& key, Field field, const Range& range, const std::string& unit,
                       const std::string& help) {
  assert(!groups_.empty());
  Group& group = groups_.back();
  const std::string dotted = group.name + "." + key;
  assert(find(dotted) == nullptr);
  Value initial = field_value(field);
  group.entries.push_back({dotted, std::move(field), range, unit, help, std::move(initial)});
}

void Schema::alias(const std::string& other, const std::string& key) {
  assert(find(key) != nullptr && find(other) == nullptr);
  aliases_[other] = key;
}

void Schema::ignore(const std::string& pattern, const std::string& why) {
  ignored_[pattern] = why;
}

void Schema::unavailable(const std::string& pattern, const std::string& why) {
  unavailable_[pattern] = why;
}

const Schema::Entry* Schema::find(const std::string& key) const {
  const auto spelled = aliases_.find(key);
  const std::string& name = spelled == aliases_.end() ? key : spelled->second;
  for (const Group& group : groups_) {
    for (const Entry& entry : group.entries) {
      if (entry.key == name) return &entry;
    }
  }
  return nullptr;
}

bool Schema::is_group(const std::string& key) const {
  for (const Group& group : groups_) {
    if (group.name == key) return true;
  }
  return ignored_.count(key + ".*") > 0 || unavailable_.count(key + ".*") > 0;
}

void Schema::apply_one(const Entry& entry, const Setting& setting, Complaints& complaints) const {
  complaints.forget(entry.key);
  if (setting.reset) {
    if (!assign(entry.field, Range(), entry.initial)) throw InternalError("the default of " + entry.key);
    return;
  }
  const Value value = interpolate(setting.value, setting.key, setting.where);
  if (assign(entry.field, entry.range, value)) return;
  complaints.add(entry.key, cat("found ", show(value), ", allowed: ", allowed_text(entry.field, entry.range),
                                " (", setting.where, ")"));
}

std::string Schema::nearest_key(const std::string& key) const {
  std::vector<std::string> known;
  for (const Group& group : groups_) {
    for (const Entry& entry : group.entries) known.push_back(entry.key);
  }
  for (const auto& spelled : aliases_) known.push_back(spelled.first);
  return nearest(key, known);
}

std::string Schema::value_of(const std::string& key) const {
  const Entry* entry = find(key);
  if (entry == nullptr) throw ConfigError(key, "unknown key; the nearest known one is " + nearest_key(key));
  const Value value = field_value(entry->field);
  return value.quoted ? value.text : yaml_text(value);
}

void Schema::complain_unknown(const Setting& setting, Complaints& complaints) const {
  if (is_group(setting.key)) {
    complaints.add(setting.key, cat("found ", show(setting.value), ", allowed: the keys of this group (",
                                    setting.where, ")"));
    return;
  }
  complaints.add(setting.key, cat("unknown key; the nearest known one is ", nearest_key(setting.key), " (",
                                  setting.where, ")"));
}

void Schema::check_aliases(const std::vector<Setting>& layer, Complaints& complaints) const {
  std::map<std::string, const Setting*> last;
  for (const Setting& setting : layer) last[setting.key] = &setting;
  for (const auto& [other, key] : aliases_) {
    const auto a = last.find(other);
    const auto b = last.find(key);
    if (a == last.end() || b == last.end() || same(a->second->value, b->second->value)) continue;
    complaints.add(
        other, cat("found ", show(a->second->value), " (", a->second->where, "), but ", key, " is ",
                   show(b->second->value), " (", b->second->where, "); they mean the same and must agree"));
  }
}

void Schema::apply(const std::vector<Setting>& layer, Complaints& complaints,
                   std::vector<std::string>& notices) {
  check_aliases(layer, complaints);
  for (const Setting& setting : layer) {
    try {
      if (const Entry* entry = find(setting.key)) {
        apply_one(*entry, setting, complaints);
      } else if (const std::string* meaningless = lookup(ignored_, setting.key)) {
        notices.push_back(cat(setting.key, " has no effect here: ", *meaningless, " (", setting.where, ")"));
      } else if (const std::string* missing = lookup(unavailable_, setting.key)) {
        if (setting.reset || is_off(interpolate(setting.value, setting.key, setting.where))) continue;
        complaints.add(setting.key, cat("found ", show(setting.value),
                                        ", allowed: null, false or 0: ", *missing, " (", setting.where, ")"));
      } else if (!(is_group(setting.key) && is_null(setting.value))) {
        complain_unknown(setting, complaints);
      }
    } catch (const ConfigError& error) {
      complaints.add(setting.key, std::string(error.what()).substr(setting.key.size() + 2));
    }
  }
}

}  // namespace wan
