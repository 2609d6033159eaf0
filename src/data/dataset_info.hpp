#pragma once
#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/hash.hpp"
#include "data/split.hpp"
#include "tensor/dtype.hpp"

namespace wan {

/// How a data set is made: chosen before its first row and the same in all its shards.
struct DatasetSettings {
  std::string model;  ///< the model folder or id as given
  Hash128 vae_hash;   ///< component_hash of the weights
  Hash128 text_encoder_hash;
  Hash128 tokenizer_hash;              ///< file_hash of the SentencePiece model
  std::optional<std::int64_t> height;  ///< pixels; with width, or neither
  std::optional<std::int64_t> width;
  std::string fit;          ///< "none", "cover", "inside", "stretch"
  std::string resize_mode;  ///< "bilinear", …
  std::string mode;         ///< "video" or "frames"
  std::int64_t num_frames = 0;
  std::optional<double> fps;  ///< frames per second; none: each file's own
  std::int64_t clip_frames = 0;
  std::int64_t start = 0;
  std::int64_t stride = 0;
  std::int64_t min_tail = 0;
  std::optional<std::int64_t> max_clips;
  std::string latents;  ///< "mean" or "sample" of the posterior
  DType dtype = DType::bf16;
  std::string encoder_dtype = "auto";  ///< storage of VAE and text encoder: "auto", "fp32", "bf16"
  std::int64_t seed = 0;
  SplitWeights split{8, 1, 1};
  std::int64_t shard_maxcount = 0;  ///< videos per shard

  friend bool operator==(const DatasetSettings& a, const DatasetSettings& b);
};

/// The settings as YAML lines "key: value".
[[nodiscard]] std::string to_yaml(const DatasetSettings& settings);
/// Inverse of to_yaml. Throws DataError naming `name`, the key and what is allowed; ignores other keys.
[[nodiscard]] DatasetSettings dataset_settings_from_yaml(const std::string& text, const std::string& name);
/// "fps: found 16, here 24; …": how two settings differ, by key; empty if they do not.
[[nodiscard]] std::string differences(const DatasetSettings& found, const DatasetSettings& here);

/// A file of a finished data set.
struct DataFile {
  std::string name;  ///< below the data set's folder
  std::int64_t bytes = 0;
  Hash128 hash;  ///< file_hash
};

/// A finished data set as dataset.yaml tells it.
struct DatasetInfo {
  DatasetSettings settings;
  std::array<std::int64_t, all_splits.size()> rows{};  ///< per split
  std::int64_t rejected = 0;
  std::int64_t text_width = 0;
  DataFile index;
  std::vector<DataFile> shards;
};

/// Writes `folder`/dataset.yaml in one step: the last act of making a data set.
void write_dataset_info(const std::string& folder, const DatasetInfo& info);
[[nodiscard]] bool has_dataset_info(const std::string& folder);
/// Throws NoInputError if there is none (unfinished or no data set), DataError for another format or version
/// and for what write_dataset_info does not write.
[[nodiscard]] DatasetInfo read_dataset_info(const std::string& folder);

}  // namespace wan
