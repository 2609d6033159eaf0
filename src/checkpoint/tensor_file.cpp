#include "checkpoint/tensor_file.hpp"

#include <algorithm>
#include <cstddef>
#include <utility>

#include "base/file.hpp"
#include "checkpoint/disk_writer.hpp"
#include "checkpoint/verify.hpp"
#include "checkpoint/workers.hpp"
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

std::vector<Block> blocks_of(const std::vector<SnapshotPart>& parts) {
  std::vector<Block> blocks;
  for (std::size_t p = 0; p < parts.size(); ++p) {
    const std::int64_t most = block_bytes / bytes_of(parts[p].dtype);
    parts[p].part.visit_runs([&](std::int64_t global, std::int64_t local, std::int64_t count) {
      for (std::int64_t done = 0; done < count; done += most) {
        blocks.push_back({p, global + done, local + done, std::min(most, count - done)});
      }
    });
  }
  return blocks;
}

std::int64_t bytes_of_parts(const std::vector<SnapshotPart>& parts) {
  std::int64_t bytes = 0;
  for (const SnapshotPart& part : parts) bytes += part.part.elements() * bytes_of(part.dtype);
  return bytes;
}

/// This rank's share of the work; the hashes of its parts, by tensor.
std::vector<Hash128> write_own(const std::string& folder, const std::vector<SnapshotPart>& parts,
                               const TensorTable& table, int threads) {
  DiskWriter model(folder + "/" + file_name_of(FileKind::model));
  DiskWriter optim(folder + "/" + file_name_of(FileKind::optim));
  const std::vector<Block> blocks = blocks_of(parts);
  const int workers = workers_for(bytes_of_parts(parts), threads);
  const std::vector<Hash128> none(table.tensors.size());
  std::vector<std::vector<Hash128>> hashes(static_cast<std::size_t>(workers), none);
  run_jobs(workers, blocks.size(), [&](std::size_t job, std::size_t worker) {
    const Block& block = blocks[job];
    const SnapshotPart& part = parts[block.part];
    const std::size_t tensor = table.of_part[block.part];
    const std::int64_t width = bytes_of(part.dtype);
    const auto* const data = static_cast<const std::byte*>(part.data) + block.local * width;
    hashes[worker][tensor] +=
        content_hash(data, block.count, static_cast<int>(width), static_cast<std::uint64_t>(block.global));
    const std::int64_t begin = table.tensors[tensor].ranges.front().offset;
    (part.kind == FileKind::model ? model : optim)
        .write(begin + block.global * width, data, block.count * width);
  });
  model.sync();
  optim.sync();
  for (std::size_t worker = 1; worker < hashes.size(); ++worker) {
    for (std::size_t t = 0; t < none.size(); ++t) hashes[0][t] += hashes[worker][t];
  }
  return std::move(hashes[0]);
}

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

void write_parts(const Communicator& comm, const std::string& folder, const std::vector<SnapshotPart>& parts,
                 TensorTable& table, int threads) {
  std::vector<Hash128> hashes;
  do_together(comm, [&] { hashes = write_own(folder, parts, table, threads); });
  sum_hashes(comm, hashes);
  for (std::size_t t = 0; t < hashes.size(); ++t) table.tensors[t].hash = hashes[t];
}

}  // namespace wan::checkpoint
