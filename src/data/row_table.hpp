#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include "base/hash.hpp"
#include "data/sample.hpp"
#include "data/split.hpp"

namespace wan::hdf5 {
class Group;
}

namespace wan {

/// Where a slab lies: `dataset` of `file` (numbers in the table's lists), from `offset` on along its first
/// axis.
struct SlabPlace {
  std::int64_t file = 0;
  std::int64_t dataset = 0;
  std::int64_t offset = 0;
};

/// All that is known of one clip.
struct Row {
  std::uint64_t id = 0;
  std::string source;   ///< path below the video folder, with '/'
  std::string caption;  ///< as its file gave it
  Split split = Split::train;
  std::int64_t frame_start = 0;  ///< at `fps`
  std::int64_t frame_count = 0;
  double fps = 0;
  std::int64_t height = 0;  ///< pixels, as encoded
  std::int64_t width = 0;
  LatentShape latent;
  std::int64_t text_rows = 0;
  SlabPlace latent_slab;
  SlabPlace text_slab;
  Hash128 latent_hash;  ///< content_hash of the stored bits, elements counted inside the row; 0 before it is
                        ///< written
  Hash128 text_hash;
};

/// Rows with the slab map's lists. Files are paths below the data set's folder; datasets are paths in a file.
struct RowTable {
  std::vector<Row> rows;
  std::vector<std::string> files;
  std::vector<std::string> datasets;
};

/// Writes the table as columns into the group "rows" (and "slabs") of `root`.
void write_row_table(hdf5::Group& root, const RowTable& table);

/// Reads it back. Throws DataError for columns of other types or lengths, and for values that no writer
/// writes (numbers of files or datasets outside their lists, sizes that are negative or too large, an unknown
/// split).
[[nodiscard]] RowTable read_row_table(const hdf5::Group& root, const std::string& path);

}  // namespace wan
