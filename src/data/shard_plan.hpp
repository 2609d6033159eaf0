#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include "data/row_table.hpp"
#include "tensor/dtype.hpp"

namespace wan {

namespace hdf5 {
class Group;
}

/// Bytes that a shard keeps for the reason of a row's rejection.
inline constexpr std::int64_t shard_reason_bytes = 160;

/// A video file of a shard as the planning pass found it.
struct SourceFile {
  std::string name;  ///< path below the video folder
  std::int64_t bytes = 0;
};

/// Why a file or a clip is not in the data set. `frame_start` is -1 for a whole file.
struct Rejection {
  std::string source;
  std::int64_t frame_start = -1;
  std::string reason;
};

/// Everything about a shard that is fixed before its first row is encoded. The slabs of the rows are assigned
/// by create_shard. Shard file: "rows" and "slabs" (row_table.hpp), "latents/<C>x<T'>x<H'>x<W'>" [n, C, T',
/// H', W'] per geometry, "text" [Σ text_rows, width], "null_text", "state" [n], "reject" [n, 160] (text,
/// padded with zero bytes), "null_text_hash" [2], "sources" and "rejects" of the planning pass; attributes
/// format, format_version, settings.
struct ShardPlan {
  RowTable table;
  std::string settings;  ///< JSON text; all shards of a data set hold the same
  std::vector<SourceFile> sources;
  std::int64_t video_count = 0;  ///< of the whole data set, in all shards
  std::vector<Rejection> rejections;
  DType dtype = DType::bf16;  ///< of latents and texts: fp32 or bf16
  std::int64_t text_width = 0;
  std::int64_t null_text_rows = 0;
};

/// "shards/latents-00012.h5"
[[nodiscard]] std::string shard_name(std::int64_t number);

/// Creates shard `number` below `folder` at its full size, all rows empty, under another name; reserves its
/// space, syncs it and renames it. Equal plans give equal bytes. Throws CreateError, IoError (a full disk).
void create_shard(const std::string& folder, std::int64_t number, ShardPlan plan);

/// What create_shard wrote, from the shard's root. Throws DataError for a file that is no shard of this
/// format.
[[nodiscard]] ShardPlan read_shard_plan(const hdf5::Group& root, const std::string& path);

}  // namespace wan
