#pragma once
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "data/dataset_info.hpp"
#include "data/index.hpp"
#include "data/source.hpp"

namespace wan {

/// A finished data set: what is in it. The rows' data are read through DatasetSplit.
class Dataset {
 public:
  /// Reads dataset.yaml and index.h5 of `folder` and holds them against each other, the index's hash and the
  /// shards' sizes included; the shards' hashes are left to damaged_files. Throws NoInputError (not there, or
  /// not finished), DataError.
  [[nodiscard]] static std::shared_ptr<const Dataset> open(const std::string& folder);

  [[nodiscard]] const std::string& folder() const { return folder_; }
  [[nodiscard]] const DatasetInfo& info() const { return info_; }
  [[nodiscard]] const RowTable& table() const { return index_.table; }
  [[nodiscard]] const TextEmbedding& null_text() const { return index_.null_text; }
  /// Numbers of the rows of one split, in the index's order.
  [[nodiscard]] std::vector<std::int64_t> rows_of(Split split) const;

 private:
  std::string folder_;
  DatasetInfo info_;
  Index index_;
};

/// The rows of one split as samples. Every row is held against its hashes when it is read.
class DatasetSplit : public SampleSource {
 public:
  DatasetSplit(std::shared_ptr<const Dataset> dataset, Split split);
  ~DatasetSplit() override;

  [[nodiscard]] std::int64_t size() const override { return static_cast<std::int64_t>(rows_.size()); }
  [[nodiscard]] SampleInfo info(std::int64_t index) const override;
  void read(std::int64_t index, float* latent, float* text) const override;
  [[nodiscard]] std::int64_t text_width() const override { return dataset_->null_text().width; }
  [[nodiscard]] const TextEmbedding& null_text() const override { return dataset_->null_text(); }
  [[nodiscard]] const Row& row(std::int64_t index) const;

 private:
  class OpenFiles;
  std::shared_ptr<const Dataset> dataset_;
  std::vector<std::int64_t> rows_;
  std::unique_ptr<OpenFiles> files_;
};

}  // namespace wan
