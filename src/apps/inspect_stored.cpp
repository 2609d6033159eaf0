#include "apps/inspect_stored.hpp"

#include <cstdint>

#include "base/error.hpp"
#include "base/file.hpp"
#include "base/text.hpp"
#include "checkpoint/manifest.hpp"
#include "checkpoint/names.hpp"
#include "checkpoint/verify.hpp"
#include "data/dataset.hpp"
#include "data/verify.hpp"

namespace wan {
namespace {

std::string bytes_text(std::int64_t bytes) {
  return human_bytes(static_cast<double>(bytes));
}

std::string iteration_line(const std::string& folder, bool verify) {
  const std::string path = folder + "/" + checkpoint::manifest_name;
  const checkpoint::Manifest manifest = checkpoint::manifest_from_text(read_file(path), path);
  std::int64_t bytes = 0;
  for (const checkpoint::StoredFile& file : manifest.files) bytes += file.bytes;
  if (verify) checkpoint::verify(Communicator(), folder, manifest);
  return cat("step ", manifest.step, ": ", manifest.tensors.size(), " tensors, ", bytes_text(bytes),
             verify ? ", all hashes agree" : "");
}

}  // namespace

std::string checkpoint_text(const std::string& run, bool verify, bool& good) {
  const std::vector<std::int64_t> steps = checkpoint::iterations_in(run);
  if (steps.empty()) throw NoInputError(run, "holds no iteration; wan-inspect checkpoint wants a run folder");
  std::string out;
  for (const std::int64_t step : steps) {
    const std::string name = checkpoint::iteration_name(step);
    try {
      out += cat(name, "  ", iteration_line(run + "/" + name, verify), "\n");
    } catch (const Error& error) {
      good = false;
      out += cat(name, "  not good: ", error.what(), "\n");
    }
  }
  return out;
}

std::string dataset_text(const std::string& folder, bool verify, bool& good) {
  const std::shared_ptr<const Dataset> dataset = Dataset::open(folder);
  const DatasetInfo& info = dataset->info();
  std::string out = "rows:";
  for (const Split split : all_splits) {
    out += cat(" ", name_of(split), " ", info.rows[static_cast<std::size_t>(split)]);
  }
  std::int64_t bytes = info.index.bytes;
  for (const DataFile& shard : info.shards) bytes += shard.bytes;
  out += cat(", rejected ", info.rejected, "\nfiles: ", info.shards.size(), " shards and an index, ",
             bytes_text(bytes), "\n\n", to_yaml(info.settings));
  if (!verify) return out;
  const std::vector<Damage> damages = damaged_files(dataset);
  for (const Damage& damage : damages) out += cat(damage.file, ": ", damage.what, "\n");
  if (damages.empty()) out += cat("\nall ", info.shards.size(), " shards have their hashes\n");
  good = good && damages.empty();
  return out;
}

}  // namespace wan
