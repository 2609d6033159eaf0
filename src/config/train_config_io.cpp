#include "config/train_config_io.hpp"

#include "config/overrides.hpp"
#include "config/train_schema.hpp"
#include "config/yaml_reader.hpp"

namespace wan {

LoadedTrainConfig load_train_config(const TrainConfigSource& source, std::int64_t ranks) {
  LoadedTrainConfig out;
  apply_preset(out.config, source.mode);
  Complaints complaints;
  Schema schema = train_schema(out.config);
  if (!source.file.empty()) schema.apply(read_yaml(source.file), complaints, out.notices);
  schema.apply(parse_overrides(source.overrides), complaints, out.notices);
  if (source.mock) out.config.dataset.mock = true;
  check_train_config(out.config, ranks, complaints);
  complaints.throw_if_any();
  return out;
}

TrainConfig read_train_config(const std::string& path) {
  TrainConfig out;
  Complaints complaints;
  std::vector<std::string> notices;
  train_schema(out).apply(read_yaml(path), complaints, notices);
  complaints.throw_if_any();
  return out;
}

// The schema borrows what it binds and writes only in `apply`, so a copy serves.
std::string dump_yaml(const TrainConfig& config) {
  TrainConfig copy = config;
  return train_schema(copy).dump();
}

std::vector<KeyDifference> differences(const TrainConfig& before, const TrainConfig& now) {
  // The same table wrote both: the same keys in the same order.
  const std::vector<Setting> a = parse_yaml(dump_yaml(before), "the configuration before");
  const std::vector<Setting> b = parse_yaml(dump_yaml(now), "the configuration now");
  std::vector<KeyDifference> out;
  for (std::size_t i = 0; i < a.size(); ++i) {
    const std::string was = yaml_text(a[i].value);
    const std::string is = yaml_text(b[i].value);
    if (was != is) out.push_back({a[i].key, was, is});
  }
  return out;
}

std::string config_text(const TrainConfig& config, const std::string& key) {
  TrainConfig copy = config;
  const Schema schema = train_schema(copy);
  return key == "all" ? schema.dump() : schema.value_of(key) + "\n";
}

std::string train_config_help() {
  TrainConfig defaults;
  return train_schema(defaults).help();
}

}  // namespace wan
