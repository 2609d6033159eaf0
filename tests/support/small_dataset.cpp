#include "support/small_dataset.hpp"

#include <limits>

#include <filesystem>

#include "base/file.hpp"
#include "base/hash.hpp"
#include "base/philox.hpp"
#include "base/text.hpp"

namespace wan::test {
namespace {

constexpr std::int64_t null_rows = 1;

std::vector<float> normals(std::uint64_t seed, std::uint64_t id, std::int64_t count) {
  std::vector<float> out(static_cast<std::size_t>(count));
  fill_normal(random_key(seed, id, 0, Purpose::mock_latent), 0, count, out.data());
  return out;
}

DataFile data_file(const std::string& folder, const std::string& name) {
  const std::string path = folder + "/" + name;
  return {name, static_cast<std::int64_t>(std::filesystem::file_size(path)), file_hash(path)};
}

}  // namespace

DatasetSettings small_settings(const SmallDataset& make) {
  DatasetSettings settings;
  settings.model = "a \"model\": folder";
  settings.vae_hash = {1, 2};
  settings.text_encoder_hash = {3, 4};
  settings.tokenizer_hash = {5, 6};
  settings.fit = "none";
  settings.resize_mode = "bilinear";
  settings.mode = "video";
  settings.fps = 16;
  settings.clip_frames = 9;
  settings.stride = 9;
  settings.latents = "mean";
  settings.dtype = make.dtype;
  settings.split = make.split;
  settings.shard_maxcount = make.sources_per_shard;
  return settings;
}

ShardPlan small_plan(const SmallDataset& make, std::int64_t number) {
  ShardPlan plan;
  plan.settings = to_yaml(small_settings(make));
  plan.dtype = make.dtype;
  plan.text_width = make.text_width;
  plan.null_text_rows = null_rows;
  for (std::int64_t s = 0; s < make.sources_per_shard; ++s) {
    const std::string source = cat("clip-", number * make.sources_per_shard + s, ".mp4");
    plan.sources.push_back({source, 1000 + s});
    for (std::int64_t clip = 0; clip < 2; ++clip) {
      Row row;
      row.source = source;
      row.caption = cat("caption of ", source);
      row.frame_start = 9 * clip;
      row.frame_count = clip == 0 ? 9 : 5;
      row.fps = 16;
      row.height = 32;
      row.width = 64;
      row.latent = {make.channels, clip == 0 ? 3 : 2, 4, 8};
      row.text_rows = 1 + s % 5;
      row.id = sample_id(source, row.frame_start, row.frame_count);
      row.split = split_of(source, make.split);
      plan.table.rows.push_back(row);
    }
  }
  return plan;
}

std::vector<float> small_latent(const Row& row) {
  return normals(1, row.id, row.latent.elements());
}

std::vector<float> small_text(const Row& row, std::int64_t width) {
  return normals(2, row.id, row.text_rows * width);
}

std::vector<float> small_null_text(std::int64_t width) {
  return normals(3, 0, null_rows * width);
}

void write_small_dataset(const std::string& folder, const SmallDataset& make) {
  make_folders(folder + "/shards");
  DatasetInfo info;
  info.settings = small_settings(make);
  info.text_width = make.text_width;
  Index index;
  index.null_text = {null_rows, make.text_width, small_null_text(make.text_width)};
  for (std::int64_t number = 0; number < make.shards; ++number) {
    const std::string path = folder + "/" + shard_name(number);
    create_shard(folder, number, small_plan(make, number));
    Shard shard = Shard::open_to_write(path, std::nullopt);
    shard.write_null_text(index.null_text.values);
    for (std::int64_t i = 0; i < shard.rows(); ++i) {
      const Row& row = shard.plan().table.rows[static_cast<std::size_t>(i)];
      shard.write_text(i, small_text(row, make.text_width));
      std::vector<float> latent = small_latent(row);
      if (row.source == make.broken_source) latent[0] = std::numeric_limits<float>::quiet_NaN();
      shard.write_latent(i, latent);
    }
    append_finished_rows(index.table, shard);
    shard.close();
    info.shards.push_back(data_file(folder, shard_name(number)));
  }
  for (const Row& row : index.table.rows) ++info.rows[static_cast<std::size_t>(row.split)];
  write_index(folder, index, make.dtype);
  info.index = data_file(folder, "index.h5");
  write_dataset_info(folder, info);
}

void replace_index(const std::string& folder, const Index& index) {
  DatasetInfo info = read_dataset_info(folder);
  write_index(folder, index, info.settings.dtype);
  info.index = data_file(folder, "index.h5");
  write_dataset_info(folder, info);
}

}  // namespace wan::test
