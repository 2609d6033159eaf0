#pragma once
#include <string>

#include "data/row_table.hpp"
#include "data/source.hpp"
#include "tensor/dtype.hpp"

namespace wan {

/// index.h5 of a data set: the finished rows in the order of shards, and "null_text".
struct Index {
  RowTable table;
  TextEmbedding null_text;
};

/// Writes `folder`/index.h5 under another name and renames it. `dtype` is that of null_text on disk (fp32 or
/// bf16).
void write_index(const std::string& folder, const Index& index, DType dtype);

/// Throws NoInputError, DataError.
[[nodiscard]] Index read_index(const std::string& folder);

}  // namespace wan
