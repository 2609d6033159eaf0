#pragma once
#include <string>
#include <vector>

#include "config/value.hpp"

namespace wan {

/// What a run file may be at most; beyond it the file is refused before memory is spent.
struct YamlLimits {
  std::int64_t bytes = std::int64_t{1} << 20;
  int depth = 16;
  int values = 20000;
};

/// The leaves of a YAML document in file order, each with its dotted key and "name:line". Lists hold plain
/// values. Anchors, aliases, merge keys, explicit tags, several documents and a key given twice are refused:
/// a run file says what it says once. Throws ConfigError naming `name`, the line and what was found.
[[nodiscard]] std::vector<Setting> parse_yaml(const std::string& text, const std::string& name,
                                              const YamlLimits& limits = {});

/// The same for a file. Throws NoInputError if there is none.
[[nodiscard]] std::vector<Setting> read_yaml(const std::string& path);

}  // namespace wan
