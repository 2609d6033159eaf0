#include "data/shard_plan.hpp"

#include <filesystem>
#include <map>

#include "base/error.hpp"
#include "base/file.hpp"
#include "base/text.hpp"
#include "weights/hdf5/file.hpp"

namespace wan {
namespace {

constexpr const char* format_name = "wan-shard";
constexpr std::int64_t format_version = 1;

std::string latents_name(const LatentShape& shape) {
  return "latents/" + to_text(shape);
}

/// Gives every row its place: a slot in its geometry's dataset, and the next rows of "text".
void assign_slabs(RowTable& table, const std::string& file) {
  table.files = {file};
  table.datasets = {"text"};
  std::map<std::string, std::int64_t> numbers;
  std::map<std::string, std::int64_t> used;
  std::int64_t text = 0;
  for (Row& row : table.rows) {
    const std::string name = latents_name(row.latent);
    const auto [entry, is_new] = numbers.emplace(name, static_cast<std::int64_t>(table.datasets.size()));
    if (is_new) table.datasets.push_back(name);
    row.latent_slab = {0, entry->second, used[name]++};
    row.text_slab = {0, 0, text};
    text += row.text_rows;
  }
}

void write_arrays(hdf5::Group& root, const ShardPlan& plan) {
  const hdf5::Type type = hdf5::type_of(plan.dtype);
  std::map<std::string, std::pair<LatentShape, std::int64_t>> geometries;
  std::int64_t text = 0;
  for (const Row& row : plan.table.rows) {
    auto& geometry = geometries[latents_name(row.latent)];
    geometry.first = row.latent;
    ++geometry.second;
    text += row.text_rows;
  }
  const auto rows = static_cast<std::int64_t>(plan.table.rows.size());
  root.create_dataset("state", hdf5::Type::u8, Shape{rows});
  root.create_dataset("reject", hdf5::Type::u8, Shape{rows, shard_reason_bytes});
  root.create_dataset("null_text", type, Shape{plan.null_text_rows, plan.text_width});
  root.write_array("null_text_hash", std::vector<std::uint64_t>{0, 0});
  root.create_dataset("text", type, Shape{text, plan.text_width});
  for (const auto& [name, geometry] : geometries) {
    const auto& [shape, count] = geometry;
    root.create_dataset(name, type, Shape{count, shape.channels, shape.frames, shape.height, shape.width});
  }
}

void write_planning(hdf5::Group& root, const ShardPlan& plan) {
  std::vector<std::string> names;
  std::vector<std::int64_t> bytes;
  for (const SourceFile& source : plan.sources) {
    names.push_back(source.name);
    bytes.push_back(source.bytes);
  }
  hdf5::Group sources = root.create_group("sources");
  sources.write_attribute("video_count", plan.video_count);
  sources.write_strings("name", names);
  sources.write_array("bytes", bytes);
  std::vector<std::string> rejected;
  std::vector<std::int64_t> starts;
  std::vector<std::string> reasons;
  for (const Rejection& rejection : plan.rejections) {
    rejected.push_back(rejection.source);
    starts.push_back(rejection.frame_start);
    reasons.push_back(rejection.reason);
  }
  hdf5::Group rejects = root.create_group("rejects");
  rejects.write_strings("source", rejected);
  rejects.write_array("frame_start", starts);
  rejects.write_strings("reason", reasons);
}

void write_draft(const std::string& draft, const ShardPlan& plan) {
  {
    hdf5::File file = hdf5::File::create(draft);
    {
      hdf5::Group root = file.root();
      root.write_attribute("format", format_name);
      root.write_attribute("format_version", format_version);
      root.write_attribute("settings", plan.settings);
      write_row_table(root, plan.table);
      write_planning(root, plan);
      write_arrays(root, plan);
    }
    file.close();
  }
  hdf5::reserve_space(draft);
  sync_path(draft);
}

}  // namespace

std::string shard_name(std::int64_t number) {
  const std::string digits = std::to_string(number);
  return "shards/latents-" + std::string(digits.size() < 5 ? 5 - digits.size() : 0, '0') + digits + ".h5";
}

void create_shard(const std::string& folder, std::int64_t number, ShardPlan plan) {
  const std::string name = shard_name(number);
  const std::string path = folder + "/" + name;
  const std::string draft = path + ".tmp";
  assign_slabs(plan.table, name);
  try {
    write_draft(draft, plan);
  } catch (const Error&) {
    // On a full disk the draft would stand in the way of whatever makes room.
    std::error_code ignored;
    std::filesystem::remove(draft, ignored);
    throw;
  }
  std::filesystem::rename(draft, path);
  sync_path(std::filesystem::path(path).parent_path().string());
}

ShardPlan read_shard_plan(const hdf5::Group& root, const std::string& path) {
  if (root.text_attribute("format") != format_name ||
      root.integer_attribute("format_version") != format_version) {
    throw DataError(path, cat("is no ", format_name, " of version ", format_version));
  }
  ShardPlan plan;
  plan.settings = root.text_attribute("settings");
  plan.table = read_row_table(root, path);
  const hdf5::Group sources = root.group("sources");
  plan.video_count = sources.integer_attribute("video_count");
  const auto names = sources.read_strings("name");
  const auto bytes = sources.read_array<std::int64_t>("bytes", static_cast<std::int64_t>(names.size()));
  for (std::size_t i = 0; i < names.size(); ++i) plan.sources.push_back({names[i], bytes[i]});
  const hdf5::Group rejects = root.group("rejects");
  const auto rejected = rejects.read_strings("source");
  const auto count = static_cast<std::int64_t>(rejected.size());
  const auto starts = rejects.read_array<std::int64_t>("frame_start", count);
  const auto reasons = rejects.read_strings("reason", count);
  for (std::size_t i = 0; i < rejected.size(); ++i) {
    plan.rejections.push_back({rejected[i], starts[i], reasons[i]});
  }
  const hdf5::Dataset text = root.dataset("text");
  const hdf5::Dataset null_text = root.dataset("null_text");
  if (text.shape().rank() != 2 || null_text.shape().rank() != 2)
    throw DataError(path, "texts must have two axes");
  plan.dtype = hdf5::dtype_of(text.type());
  plan.text_width = text.shape()[1];
  plan.null_text_rows = null_text.shape()[0];
  null_text.expect(text.type(), {-1, plan.text_width});
  return plan;
}

}  // namespace wan
