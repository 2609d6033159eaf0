#include "data/dataset_info.hpp"

#include <filesystem>
#include <map>

#include "base/error.hpp"
#include "base/file.hpp"
#include "base/text.hpp"
#include "config/yaml_reader.hpp"

namespace wan {
namespace {

constexpr const char* format_name = "wan-dataset";
constexpr std::int64_t format_version = 1;
constexpr const char* shard_prefix = "shards.";
constexpr const char* bytes_suffix = ".bytes";
constexpr const char* hash_suffix = ".hash";

/// The YAML's leaves by key, with typed access whose errors name file, line and key.
class Fields {
 public:
  Fields(const std::string& text, const std::string& name) : name_(name) {
    // One line per shard: a data set of many millions of clips has more than a run file may have.
    YamlLimits limits;
    limits.bytes = std::int64_t{64} << 20;
    limits.values = 1 << 22;
    try {
      for (Setting& setting : parse_yaml(text, name, limits)) {
        order_.push_back(setting.key);
        settings_.emplace(setting.key, std::move(setting));
      }
    } catch (const ConfigError& error) {
      throw DataError(name, error.what());
    }
  }

  [[nodiscard]] const std::vector<std::string>& keys() const { return order_; }

  [[nodiscard]] bool has(const std::string& key) const { return settings_.count(key) != 0; }
  [[nodiscard]] const std::string& text(const std::string& key) const { return at(key).value.text; }
  [[nodiscard]] std::int64_t integer(const std::string& key) const {
    const auto value = as_integer(at(key).value);
    if (!value || *value < 0) fail(key, "an integer >= 0");
    return *value;
  }
  [[nodiscard]] std::optional<std::int64_t> optional_integer(const std::string& key) const {
    return is_null(at(key).value) ? std::nullopt : std::optional(integer(key));
  }
  [[nodiscard]] double number(const std::string& key) const {
    const auto value = as_real(at(key).value);
    if (!value) fail(key, "a number");
    return *value;
  }
  [[nodiscard]] Hash128 hash(const std::string& key) const {
    return hash_from_hex(text(key), name_ + ": " + key);
  }
  [[nodiscard]] SplitWeights weights(const std::string& key) const {
    const Value& list = at(key).value;
    SplitWeights out{};
    if (!list.is_list || list.items.size() != out.size()) fail(key, "three weights");
    for (std::size_t i = 0; i < out.size(); ++i) {
      const auto weight = as_real(list.items[i]);
      if (!weight || *weight < 0) fail(key, "three weights >= 0");
      out[i] = *weight;
    }
    return out;
  }

  [[noreturn]] void fail(const std::string& key, const std::string& allowed) const {
    throw DataError(name_, cat(key, ": found ", show(at(key).value), ", allowed: ", allowed));
  }

 private:
  [[nodiscard]] const Setting& at(const std::string& key) const {
    const auto found = settings_.find(key);
    if (found == settings_.end()) throw DataError(name_, "has no key " + key);
    return found->second;
  }

  std::string name_;
  std::vector<std::string> order_;
  std::map<std::string, Setting> settings_;
};

DatasetSettings read_settings(const Fields& fields) {
  DatasetSettings s;
  s.model = fields.text("model");
  s.vae_hash = fields.hash("vae_hash");
  s.text_encoder_hash = fields.hash("text_encoder_hash");
  s.tokenizer_hash = fields.hash("tokenizer_hash");
  s.height = fields.optional_integer("height");
  s.width = fields.optional_integer("width");
  s.fit = fields.text("fit");
  s.resize_mode = fields.text("resize_mode");
  s.mode = fields.text("mode");
  s.num_frames = fields.integer("num_frames");
  if (fields.text("fps") != "native") s.fps = fields.number("fps");
  s.clip_frames = fields.integer("clip_frames");
  s.start = fields.integer("start");
  s.stride = fields.integer("stride");
  s.min_tail = fields.integer("min_tail");
  s.max_clips = fields.optional_integer("max_clips");
  s.latents = fields.text("latents");
  const std::string& dtype = fields.text("dtype");
  if (dtype != "fp32" && dtype != "bf16") fields.fail("dtype", "fp32, bf16");
  s.dtype = dtype_from_name(dtype);
  // The first data sets lack the key.
  if (fields.has("encoder_dtype")) s.encoder_dtype = fields.text("encoder_dtype");
  s.seed = fields.integer("seed");
  s.split = fields.weights("split");
  s.shard_maxcount = fields.integer("shard_maxcount");
  return s;
}

std::string optional_text(const std::optional<std::int64_t>& value) {
  return value ? std::to_string(*value) : "null";
}

std::string quoted(const std::string& text) {
  return yaml_text({text, true, false, {}});
}

/// "{bytes: 1234, hash: "…"}"
std::string file_text(const DataFile& file) {
  return cat("{bytes: ", file.bytes, ", hash: ", quoted(to_hex(file.hash)), "}");
}

DataFile read_file_entry(const Fields& fields, const std::string& key, const std::string& name) {
  return {name, fields.integer(key + bytes_suffix), fields.hash(key + hash_suffix)};
}

std::string info_path(const std::string& folder) {
  return folder + "/dataset.yaml";
}

}  // namespace

bool operator==(const DatasetSettings& a, const DatasetSettings& b) {
  return to_yaml(a) == to_yaml(b);
}

std::string to_yaml(const DatasetSettings& s) {
  return cat("model: ", quoted(s.model), "\n",                                  //
             "vae_hash: ", quoted(to_hex(s.vae_hash)), "\n",                    //
             "text_encoder_hash: ", quoted(to_hex(s.text_encoder_hash)), "\n",  //
             "tokenizer_hash: ", quoted(to_hex(s.tokenizer_hash)), "\n",        //
             "height: ", optional_text(s.height), "\n",                         //
             "width: ", optional_text(s.width), "\n",                           //
             "fit: ", s.fit, "\n",                                              //
             "resize_mode: ", s.resize_mode, "\n",                              //
             "mode: ", s.mode, "\n",                                            //
             "num_frames: ", s.num_frames, "\n",                                //
             "fps: ", s.fps ? real_text(*s.fps) : "native", "\n",               //
             "clip_frames: ", s.clip_frames, "\n",                              //
             "start: ", s.start, "\n",                                          //
             "stride: ", s.stride, "\n",                                        //
             "min_tail: ", s.min_tail, "\n",                                    //
             "max_clips: ", optional_text(s.max_clips), "\n",                   //
             "latents: ", s.latents, "\n",                                      //
             "dtype: ", name_of(s.dtype), "\n",                                 //
             "encoder_dtype: ", s.encoder_dtype, "\n",                          //
             "seed: ", s.seed, "\n",                                            //
             "split: [", real_text(s.split[0]), ", ", real_text(s.split[1]), ", ", real_text(s.split[2]),
             "]\n", "shard_maxcount: ", s.shard_maxcount, "\n");
}

DatasetSettings dataset_settings_from_yaml(const std::string& text, const std::string& name) {
  return read_settings(Fields(text, name));
}

std::string differences(const DatasetSettings& found, const DatasetSettings& here) {
  const std::vector<std::string> before = split(to_yaml(found), '\n');
  const std::vector<std::string> now = split(to_yaml(here), '\n');
  std::vector<std::string> out;
  for (std::size_t i = 0; i < before.size(); ++i) {
    if (before[i] == now[i]) continue;
    const std::size_t colon = now[i].find(": ");
    out.push_back(cat(now[i].substr(0, colon), ": found ", before[i].substr(colon + 2), ", here ",
                      now[i].substr(colon + 2)));
  }
  return join(out, "; ");
}

void write_dataset_info(const std::string& folder, const DatasetInfo& info) {
  std::string text =
      cat("# A data set of video latents and text embeddings, made by wan-prep.\n",
          "# Rows are in index.h5, their data in shards/, what was left out in rejects.csv.\n",
          "format: ", format_name, "\nformat_version: ", format_version, "\n", to_yaml(info.settings));
  std::int64_t rows = 0;
  for (const std::int64_t count : info.rows) rows += count;
  text += cat("rows: ", rows, "\n");
  for (const Split each : all_splits) {
    text += cat("rows_", name_of(each), ": ", info.rows[static_cast<std::size_t>(each)], "\n");
  }
  text += cat("rejected: ", info.rejected, "\ntext_width: ", info.text_width,
              "\nindex: ", file_text(info.index), "\nshards:\n");
  for (const DataFile& shard : info.shards)
    text += cat("  ", quoted(shard.name), ": ", file_text(shard), "\n");
  write_file_atomically(info_path(folder), text);
}

bool has_dataset_info(const std::string& folder) {
  return std::filesystem::exists(info_path(folder));
}

DatasetInfo read_dataset_info(const std::string& folder) {
  const std::string path = info_path(folder);
  if (!has_dataset_info(folder)) {
    throw NoInputError(path, "there is none: the folder is no data set, or wan-prep has not finished it");
  }
  const Fields fields(read_file(path, std::int64_t{64} << 20), path);
  if (fields.text("format") != format_name) fields.fail("format", format_name);
  if (fields.integer("format_version") != format_version) {
    fields.fail("format_version", std::to_string(format_version));
  }
  DatasetInfo info;
  info.settings = read_settings(fields);
  for (const Split each : all_splits) {
    info.rows[static_cast<std::size_t>(each)] = fields.integer("rows_" + name_of(each));
  }
  info.rejected = fields.integer("rejected");
  info.text_width = fields.integer("text_width");
  info.index = read_file_entry(fields, "index", "index.h5");
  const std::string prefix = shard_prefix;
  const std::string suffix = hash_suffix;
  for (const std::string& key : fields.keys()) {
    if (key.rfind(prefix, 0) != 0 || key.size() < prefix.size() + suffix.size() ||
        key.compare(key.size() - suffix.size(), suffix.size(), suffix) != 0) {
      continue;
    }
    const std::string entry = key.substr(0, key.size() - suffix.size());
    info.shards.push_back(read_file_entry(fields, entry, entry.substr(prefix.size())));
  }
  return info;
}

}  // namespace wan
