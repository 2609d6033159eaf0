#include "checkpoint/verify.hpp"

#include <algorithm>
#include <cstddef>
#include <deque>

#include "base/error.hpp"
#include "base/text.hpp"
#include "base/workers.hpp"
#include "checkpoint/disk_file.hpp"
#include "checkpoint/names.hpp"
#include "checkpoint/stored_reader.hpp"
#include "comm/agree.hpp"
#include "tensor/shard.hpp"

namespace wan::checkpoint {
namespace {

constexpr std::int64_t block_bytes = std::int64_t{4} << 20;

/// Elements of one tensor.
struct Block {
  std::size_t tensor;
  std::int64_t first;
  std::int64_t count;
};

/// One rank's even share of all bytes. An element belongs to the rank whose bytes hold its first one.
std::vector<Block> share_of(const std::vector<StoredTensor>& tensors, int rank, int ranks) {
  std::int64_t total = 0;
  for (const StoredTensor& tensor : tensors) total += tensor.elements() * bytes_of(tensor.dtype);
  const std::int64_t begin = part_begin(total, rank, ranks);
  const std::int64_t end = part_begin(total, rank + 1, ranks);
  std::vector<Block> blocks;
  std::int64_t before = 0;
  for (std::size_t t = 0; t < tensors.size(); ++t) {
    const std::int64_t width = bytes_of(tensors[t].dtype);
    const auto element_at = [&](std::int64_t byte) {
      return std::clamp<std::int64_t>((byte - before + width - 1) / width, 0, tensors[t].elements());
    };
    const std::int64_t first = begin <= before ? 0 : element_at(begin);
    const std::int64_t last = end <= before ? 0 : element_at(end);
    before += tensors[t].elements() * width;
    for (std::int64_t at = first; at < last; at += block_bytes / width) {
      blocks.push_back({t, at, std::min(block_bytes / width, last - at)});
    }
  }
  return blocks;
}

}  // namespace

void sum_hashes(const Communicator& comm, std::vector<Hash128>& hashes) {
  static_assert(sizeof(Hash128) == 2 * sizeof(std::int64_t), "two integers");
  const auto count = static_cast<std::int64_t>(2 * hashes.size());
  comm.all_reduce(Tensor(hashes.data(), DType::i64, {count}), Reduce::sum).wait();
}

std::vector<Hash128> hashes_on_disk(const Communicator& comm, const std::string& folder,
                                    const std::vector<StoredTensor>& tensors, int threads) {
  std::vector<Hash128> sums(tensors.size());
  do_together(comm, [&] {
    const std::vector<Block> blocks = share_of(tensors, comm.rank(), comm.size());
    std::int64_t bytes = 0;
    for (const Block& block : blocks) bytes += block.count * bytes_of(tensors[block.tensor].dtype);
    const int workers = workers_for(bytes, threads);
    std::vector<std::vector<Hash128>> hashes(static_cast<std::size_t>(workers), sums);
    std::vector<std::vector<std::byte>> memory(static_cast<std::size_t>(workers));
    std::deque<StoredReader> readers;
    for (int worker = 0; worker < workers; ++worker) readers.emplace_back(folder);
    run_jobs(workers, blocks.size(), [&](std::size_t job, std::size_t worker) {
      const Block& block = blocks[job];
      const StoredTensor& tensor = tensors[block.tensor];
      memory[worker].resize(static_cast<std::size_t>(block_bytes));
      readers[worker].read(tensor, block.first, block.count, memory[worker].data());
      hashes[worker][block.tensor] +=
          content_hash(memory[worker].data(), block.count, static_cast<int>(bytes_of(tensor.dtype)),
                       static_cast<std::uint64_t>(block.first));
    });
    for (const std::vector<Hash128>& part : hashes) {
      for (std::size_t t = 0; t < sums.size(); ++t) sums[t] += part[t];
    }
  });
  sum_hashes(comm, sums);
  return sums;
}

void verify(const Communicator& comm, const std::string& folder, const Manifest& manifest,
            const std::vector<std::string>& files, int threads) {
  const auto wanted = [&](const std::string& name) {
    return files.empty() || std::find(files.begin(), files.end(), name) != files.end();
  };
  do_together(comm, [&] {
    if (comm.rank() != 0) return;
    for (const char* name : {state_name, config_name}) {
      if (manifest.file(name) == nullptr)
        throw DataError(folder + "/" + manifest_name, cat("does not list ", name));
    }
    for (const StoredFile& file : manifest.files) {
      const std::string path = folder + "/" + file.name;
      const std::int64_t bytes = DiskFile(path).bytes();
      if (bytes != file.bytes)
        throw DataError(path, cat("has ", bytes, " bytes, the manifest says ", file.bytes));
      const bool text = file.name == state_name || file.name == config_name;
      if (!text && !wanted(file.name)) continue;
      if (hash_between_tensors(folder, file.name, manifest.tensors) != file.hash) {
        throw DataError(path, "its bytes differ from those written (hash)");
      }
    }
  });
  std::vector<StoredTensor> tensors;
  for (const StoredTensor& tensor : manifest.tensors) {
    const bool needed = std::any_of(tensor.ranges.begin(), tensor.ranges.end(),
                                    [&](const StoredRange& range) { return wanted(range.file); });
    if (needed) tensors.push_back(tensor);
  }
  const std::vector<Hash128> found = hashes_on_disk(comm, folder, tensors, threads);
  for (std::size_t t = 0; t < tensors.size(); ++t) {
    if (found[t] == tensors[t].hash) continue;
    const std::string file = tensors[t].ranges.empty() ? manifest_name : tensors[t].ranges.front().file;
    throw DataError(folder + "/" + file,
                    cat("tensor ", tensors[t].path, " differs from what was written (hash)"));
  }
}

}  // namespace wan::checkpoint
