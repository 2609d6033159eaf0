#include "data/verify.hpp"

#include <algorithm>
#include <cstddef>

#include "base/error.hpp"
#include "base/hash.hpp"
#include "base/text.hpp"

namespace wan {
namespace {

/// Rows that are named; the rest are counted.
constexpr std::size_t most_named = 5;

/// "row 3 (a.mp4, frames from 81), …" of the rows in file number `file` whose data differ from their hashes.
std::string damaged_rows(const std::shared_ptr<const Dataset>& dataset, std::int64_t file) {
  std::vector<std::string> rows;
  for (const Split split : all_splits) {
    const DatasetSplit source(dataset, split);
    const std::vector<std::int64_t> numbers = dataset->rows_of(split);
    for (std::int64_t i = 0; i < source.size(); ++i) {
      const Row& row = source.row(i);
      if (row.latent_slab.file != file && row.text_slab.file != file) continue;
      std::vector<float> latent(static_cast<std::size_t>(row.latent.elements()));
      std::vector<float> text(static_cast<std::size_t>(row.text_rows * source.text_width()));
      try {
        source.read(i, latent.data(), text.data());
      } catch (const DataError&) {
        rows.push_back(cat("row ", numbers[static_cast<std::size_t>(i)], " (", row.source, ", frames from ",
                           row.frame_start, ")"));
      }
    }
  }
  if (rows.empty()) return "no row's data differ";
  const std::size_t more = rows.size() > most_named ? rows.size() - most_named : 0;
  rows.resize(rows.size() - more);
  return "data differ of " + join(rows, ", ") + (more > 0 ? cat(" and ", more, " more") : std::string());
}

}  // namespace

std::vector<Damage> damaged_files(const std::shared_ptr<const Dataset>& dataset, std::int64_t part,
                                  std::int64_t parts) {
  std::vector<Damage> found;
  const std::vector<DataFile>& shards = dataset->info().shards;
  const std::vector<std::string>& files = dataset->table().files;
  for (std::size_t i = static_cast<std::size_t>(part); i < shards.size();
       i += static_cast<std::size_t>(parts)) {
    const std::string path = dataset->folder() + "/" + shards[i].name;
    const Hash128 hash = file_hash(path);
    if (hash == shards[i].hash) continue;
    const auto number = std::find(files.begin(), files.end(), shards[i].name) - files.begin();
    found.push_back({path, cat("has hash ", to_hex(hash), ", dataset.yaml announces ", to_hex(shards[i].hash),
                               "; ", damaged_rows(dataset, number))});
  }
  return found;
}

}  // namespace wan
