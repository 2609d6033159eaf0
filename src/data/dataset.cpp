#include "data/dataset.hpp"

#include <algorithm>
#include <filesystem>
#include <list>
#include <map>
#include <set>
#include <system_error>

#include "base/error.hpp"
#include "base/hash.hpp"
#include "base/text.hpp"
#include "data/stored_floats.hpp"
#include "weights/hdf5/file.hpp"

namespace wan {

namespace {

/// Throws unless the file is there at its size.
void check_size(const std::string& folder, const DataFile& file) {
  const std::string path = folder + "/" + file.name;
  std::error_code error;
  if (!std::filesystem::is_regular_file(path, error))
    throw NoInputError(path, "is missing, dataset.yaml names it");
  const auto bytes = static_cast<std::int64_t>(std::filesystem::file_size(path, error));
  if (error) throw IoError(path, error.value(), "cannot ask for its size");
  if (bytes != file.bytes)
    throw DataError(path, cat("has ", bytes, " bytes, dataset.yaml announces ", file.bytes));
}

/// Throws unless dataset.yaml vouches for every file that the index names.
void check_known(const DatasetInfo& info, const RowTable& table, const std::string& path) {
  std::set<std::string> known;
  for (const DataFile& shard : info.shards) known.insert(shard.name);
  for (const std::string& file : table.files) {
    if (known.count(file) == 0) throw DataError(path, "names " + file + ", which dataset.yaml does not list");
  }
}

}  // namespace

std::shared_ptr<const Dataset> Dataset::open(const std::string& folder) {
  auto dataset = std::make_shared<Dataset>();
  dataset->folder_ = folder;
  dataset->info_ = read_dataset_info(folder);
  check_size(folder, dataset->info_.index);
  if (const Hash128 hash = file_hash(folder + "/index.h5"); hash != dataset->info_.index.hash) {
    throw DataError(folder + "/index.h5", cat("has hash ", to_hex(hash), ", dataset.yaml announces ",
                                              to_hex(dataset->info_.index.hash)));
  }
  for (const DataFile& shard : dataset->info_.shards) check_size(folder, shard);
  dataset->index_ = read_index(folder);
  const std::string path = folder + "/index.h5";
  const DatasetInfo& info = dataset->info_;
  for (const Split split : all_splits) {
    const auto found = static_cast<std::int64_t>(dataset->rows_of(split).size());
    const std::int64_t announced = info.rows[static_cast<std::size_t>(split)];
    if (found != announced) {
      throw DataError(path,
                      cat("has ", found, " ", name_of(split), " rows, dataset.yaml announces ", announced));
    }
  }
  if (dataset->null_text().width != info.text_width || dataset->null_text().rows < 1) {
    throw DataError(path, cat("null_text is ", dataset->null_text().rows, " × ", dataset->null_text().width,
                              ", dataset.yaml announces a width of ", info.text_width));
  }
  check_known(info, dataset->table(), path);
  return dataset;
}

std::vector<std::int64_t> Dataset::rows_of(Split split) const {
  std::vector<std::int64_t> rows;
  for (std::size_t i = 0; i < table().rows.size(); ++i) {
    if (table().rows[i].split == split) rows.push_back(static_cast<std::int64_t>(i));
  }
  return rows;
}

/// The shards that were read last, kept open.
class DatasetSplit::OpenFiles {
 public:
  explicit OpenFiles(const Dataset& dataset) : dataset_(dataset) {}

  const hdf5::Dataset& array(const SlabPlace& slab) {
    auto entry =
        std::find_if(open_.begin(), open_.end(), [&](const Entry& e) { return e.file == slab.file; });
    if (entry == open_.end()) {
      if (open_.size() == most_open) open_.pop_back();
      const std::string& name = dataset_.table().files[static_cast<std::size_t>(slab.file)];
      open_.push_front({slab.file, hdf5::File::open(dataset_.folder() + "/" + name), {}});
    } else {
      open_.splice(open_.begin(), open_, entry);
    }
    Entry& front = open_.front();
    const auto found = front.arrays.find(slab.dataset);
    if (found != front.arrays.end()) return found->second;
    const std::string& name = dataset_.table().datasets[static_cast<std::size_t>(slab.dataset)];
    return front.arrays.emplace(slab.dataset, front.opened.root().dataset(name)).first->second;
  }

 private:
  static constexpr std::size_t most_open = 32;
  struct Entry {
    std::int64_t file;
    hdf5::File opened;
    std::map<std::int64_t, hdf5::Dataset> arrays;
  };
  const Dataset& dataset_;
  std::list<Entry> open_;
};

DatasetSplit::DatasetSplit(std::shared_ptr<const Dataset> dataset, Split split)
    : dataset_(std::move(dataset)),
      rows_(dataset_->rows_of(split)),
      files_(std::make_unique<OpenFiles>(*dataset_)) {}

DatasetSplit::~DatasetSplit() = default;

const Row& DatasetSplit::row(std::int64_t index) const {
  return dataset_->table().rows[static_cast<std::size_t>(rows_[static_cast<std::size_t>(index)])];
}

SampleInfo DatasetSplit::info(std::int64_t index) const {
  const Row& found = row(index);
  return {found.id, found.latent, found.text_rows};
}

void DatasetSplit::read(std::int64_t index, float* latent, float* text) const {
  const Row& found = row(index);
  const auto read_run = [&](const SlabPlace& slab, std::int64_t stride, std::int64_t count,
                            const Hash128& hash, const char* what, float* to) {
    const StoredRun run = read_stored(files_->array(slab), slab.offset * stride, count);
    if (run.hash != hash) {
      const std::string& file = dataset_->table().files[static_cast<std::size_t>(slab.file)];
      throw DataError(
          dataset_->folder() + "/" + file,
          cat(what, " of row ", rows_[static_cast<std::size_t>(index)], ", ", found.source, ", frames from ",
              found.frame_start, ": hash ", to_hex(run.hash), " instead of ", to_hex(hash)));
    }
    from_stored(run.bytes.data(), count, run.dtype, to);
  };
  const std::int64_t elements = found.latent.elements();
  read_run(found.latent_slab, elements, elements, found.latent_hash, "latent", latent);
  read_run(found.text_slab, text_width(), found.text_rows * text_width(), found.text_hash, "text", text);
}

}  // namespace wan
