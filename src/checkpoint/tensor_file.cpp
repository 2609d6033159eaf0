#include "checkpoint/tensor_file.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <utility>

#include "base/error.hpp"
#include "base/file.hpp"
#include "base/workers.hpp"
#include "checkpoint/disk_writer.hpp"
#include "checkpoint/verify.hpp"
#include "comm/agree.hpp"
#include "weights/hdf5/file.hpp"

namespace wan::checkpoint {
namespace {

/// Paths are absolute in the file; Group takes them relative to the root.
std::string in_root(const std::string& path) {
  return path.substr(1);
}

constexpr std::int64_t block_bytes = std::int64_t{4} << 20;

/// Elements of a part that lie dense both in memory and in the file.
struct Block {
  std::size_t part;
  std::int64_t global;  ///< first element, counted in the tensor
  std::int64_t local;   ///< and in the part
  std::int64_t count;
};

void add_blocks(const SnapshotPart& part, std::size_t number, std::vector<Block>& blocks) {
  const std::int64_t most = block_bytes / bytes_of(part.dtype);
  part.part.visit_runs([&](std::int64_t global, std::int64_t local, std::int64_t count) {
    for (std::int64_t done = 0; done < count; done += most) {
      blocks.push_back({number, global + done, local + done, std::min(most, count - done)});
    }
  });
}

/// True if any of `count` numbers of `Bits` is NaN or infinite: all bits of the exponent are set.
template <class Bits>
bool any_not_finite(const std::byte* data, std::int64_t count, Bits exponent) {
  bool found = false;
  for (std::int64_t i = 0; i < count; ++i) {
    Bits bits;
    std::memcpy(&bits, data + i * static_cast<std::int64_t>(sizeof bits), sizeof bits);
    found |= (bits & exponent) == exponent;
  }
  return found;
}

bool any_not_finite(DType dtype, const std::byte* data, std::int64_t count) {
  constexpr std::uint32_t exponent_f32 = 0x7f800000U;
  constexpr std::uint16_t exponent_bf16 = 0x7f80U;
  return dtype == DType::bf16 ? any_not_finite(data, count, exponent_bf16)
                              : any_not_finite(data, count, exponent_f32);
}

std::int64_t bytes_of_parts(const std::vector<SnapshotPart>& parts) {
  std::int64_t bytes = 0;
  for (const SnapshotPart& part : parts) bytes += part.part.elements() * bytes_of(part.dtype);
  return bytes;
}

/// This rank's share of the work.
class OwnParts {
 public:
  OwnParts(const std::string& folder, const Snapshot& snapshot, const TensorTable& table, int threads)
      : snapshot_(snapshot),
        table_(table),
        model_(folder + "/" + file_name_of(FileKind::model)),
        optim_(folder + "/" + file_name_of(FileKind::optim)),
        hashes_(static_cast<std::size_t>(workers_for(bytes_of_parts(snapshot.parts), threads)),
                std::vector<Hash128>(table.tensors.size())) {}

  /// The hashes of its parts, by tensor, when they are on disk.
  [[nodiscard]] std::vector<Hash128> write() {
    const std::vector<SnapshotPart>& parts = snapshot_.parts;
    std::vector<Block> at_hand;
    for (std::size_t p = 0; p < parts.size(); ++p) {
      if (parts[p].fill == nullptr) add_blocks(parts[p], p, at_hand);
    }
    write_blocks(at_hand, nullptr);
    std::vector<std::byte> room;
    for (std::size_t p = 0; p < parts.size(); ++p) {
      if (parts[p].fill == nullptr) continue;
      std::vector<Block> blocks;
      add_blocks(parts[p], p, blocks);
      write_blocks(blocks, parts[p].values(room));
    }
    model_.sync();
    optim_.sync();
    for (std::size_t worker = 1; worker < hashes_.size(); ++worker) {
      for (std::size_t t = 0; t < hashes_[0].size(); ++t) hashes_[0][t] += hashes_[worker][t];
    }
    return std::move(hashes_[0]);
  }

 private:
  /// `filled` holds the one part that they are of; without it parts have their own memory.
  void write_blocks(const std::vector<Block>& blocks, const std::byte* filled) {
    run_jobs(static_cast<int>(hashes_.size()), blocks.size(), [&](std::size_t job, std::size_t worker) {
      const Block& block = blocks[job];
      const SnapshotPart& part = snapshot_.parts[block.part];
      const std::size_t tensor = table_.of_part[block.part];
      const std::int64_t width = bytes_of(part.dtype);
      const auto* const values = filled != nullptr ? filled : static_cast<const std::byte*>(part.data);
      const std::byte* const data = values + block.local * width;
      // A checkpoint of such numbers could only be thrown away, and would push good ones out.
      if (snapshot_.refuse_not_finite && any_not_finite(part.dtype, data, block.count)) {
        throw NumericError(snapshot_.step, part.path,
                           "holds numbers that are not finite; such a checkpoint is never saved");
      }
      hashes_[worker][tensor] +=
          content_hash(data, block.count, static_cast<int>(width), static_cast<std::uint64_t>(block.global));
      const std::int64_t begin = table_.tensors[tensor].ranges.front().offset;
      (part.kind == FileKind::model ? model_ : optim_)
          .write(begin + block.global * width, data, block.count * width);
    });
  }

  const Snapshot& snapshot_;
  const TensorTable& table_;
  DiskWriter model_;
  DiskWriter optim_;
  std::vector<std::vector<Hash128>> hashes_;  ///< of each worker
};

}  // namespace

void create_tensor_file(const std::string& folder, FileKind kind, std::int64_t step, TensorTable& table) {
  const std::string name = file_name_of(kind);
  const std::string path = folder + "/" + name;
  {
    hdf5::File file = hdf5::File::create(path);
    hdf5::Group root = file.root();
    root.write_attribute("format_version", Manifest::format_version);
    root.write_attribute("step", step);
    for (std::size_t t = 0; t < table.tensors.size(); ++t) {
      if (table.kinds[t] != kind) continue;
      StoredTensor& tensor = table.tensors[t];
      const hdf5::Dataset dataset =
          root.create_dataset(in_root(tensor.path), hdf5::type_of(tensor.dtype), tensor.shape);
      if (tensor.elements() > 0) {
        tensor.ranges = {{name, tensor.path, dataset.file_offset(), 0, tensor.elements()}};
      }
    }
  }
  hdf5::reserve_space(path);
  sync_path(path);
}

void write_parts(const Communicator& comm, const std::string& folder, const Snapshot& snapshot,
                 TensorTable& table, int threads) {
  std::vector<Hash128> hashes;
  do_together(comm, [&] { hashes = OwnParts(folder, snapshot, table, threads).write(); });
  sum_hashes(comm, hashes);
  for (std::size_t t = 0; t < hashes.size(); ++t) table.tensors[t].hash = hashes[t];
}

}  // namespace wan::checkpoint
