#include <algorithm>
#include <cstddef>

#include "base/text.hpp"
#include "config/schema.hpp"

namespace wan {

namespace {

std::string padded(const std::string& text, std::size_t width) {
  return text.size() >= width ? text + " " : text + std::string(width - text.size(), ' ');
}

// "[steps] " or nothing.
std::string unit_text(const Schema::Entry& entry) {
  return entry.unit.empty() ? "" : "[" + entry.unit + "] ";
}

// Keys under the reason they share, so that the list stays short.
std::string by_reason(const std::map<std::string, std::string>& patterns) {
  constexpr std::size_t line_width = 110;
  std::map<std::string, std::vector<std::string>> grouped;
  for (const auto& [pattern, why] : patterns) grouped[why].push_back(pattern);
  std::string out;
  for (const auto& [why, keys] : grouped) {
    out += cat("  ", why, ":\n");
    std::string line = "   ";
    for (const std::string& key : keys) {
      if (line.size() + key.size() >= line_width) {
        out += line + "\n";
        line = "   ";
      }
      line += " " + key;
    }
    out += line + "\n";
  }
  return out;
}

}  // namespace

std::string Schema::help() const {
  constexpr std::size_t key_width = 40;
  constexpr std::size_t default_width = 14;
  std::string out;
  for (const Group& group : groups_) {
    out += cat("\n", group.name, ": ", group.help, "\n");
    for (const Entry& entry : group.entries) {
      out += cat("  ", padded(entry.key, key_width), padded(yaml_text(entry.initial), default_width),
                 unit_text(entry), entry.help, " (", allowed_text(entry.field, entry.range), ")\n");
    }
  }
  out += "\nOther spellings of these keys:\n";
  for (const auto& [other, key] : aliases_) out += cat("  ", padded(other, key_width), key, "\n");
  out += "\nAccepted, but without effect here:\n" + by_reason(ignored_);
  return out + "\nNot available (only null, false or 0 is accepted):\n" + by_reason(unavailable_);
}

std::string Schema::dump() const {
  std::string out;
  for (const Group& group : groups_) {
    out += cat(group.name, ":  # ", group.help, "\n");
    for (const Entry& entry : group.entries) {
      const std::string line =
          cat("  ", entry.key.substr(group.name.size() + 1), ": ", yaml_text(field_value(entry.field)));
      out += cat(padded(line, 40), " # ", unit_text(entry), entry.help, "\n");
    }
  }
  return out;
}

}  // namespace wan
