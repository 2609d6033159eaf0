#include "checkpoint/verify.hpp"

#include <algorithm>
#include <cstddef>

#include "base/error.hpp"
#include "base/text.hpp"
#include "checkpoint/disk_file.hpp"
#include "checkpoint/names.hpp"
#include "checkpoint/stored_reader.hpp"
#include "comm/agree.hpp"
#include "tensor/shard.hpp"

namespace wan::checkpoint {
namespace {

constexpr std::int64_t block_bytes = std::int64_t{4} << 20;

}  // namespace

void sum_hashes(const Communicator& comm, std::vector<Hash128>& hashes) {
  static_assert(sizeof(Hash128) == 2 * sizeof(std::int64_t), "two integers");
  const auto count = static_cast<std::int64_t>(2 * hashes.size());
  comm.all_reduce(Tensor(hashes.data(), DType::i64, {count}), Reduce::sum).wait();
}

std::vector<Hash128> hashes_on_disk(const Communicator& comm, const std::string& folder,
                                    const std::vector<StoredTensor>& tensors) {
  std::vector<Hash128> hashes(tensors.size());
  do_together(comm, [&] {
    std::int64_t total = 0;
    for (const StoredTensor& tensor : tensors) total += tensor.elements() * bytes_of(tensor.dtype);
    const std::int64_t my_begin = part_begin(total, comm.rank(), comm.size());
    const std::int64_t my_end = part_begin(total, comm.rank() + 1, comm.size());
    StoredReader reader(folder);
    std::vector<std::byte> block(static_cast<std::size_t>(block_bytes));
    std::int64_t before = 0;
    for (std::size_t t = 0; t < tensors.size(); ++t) {
      const StoredTensor& tensor = tensors[t];
      const std::int64_t width = bytes_of(tensor.dtype);
      // An element belongs to the rank whose bytes hold its first one.
      const auto element_at = [&](std::int64_t byte) {
        return std::clamp<std::int64_t>((byte - before + width - 1) / width, 0, tensor.elements());
      };
      const std::int64_t first = my_begin <= before ? 0 : element_at(my_begin);
      const std::int64_t last = my_end <= before ? 0 : element_at(my_end);
      before += tensor.elements() * width;
      for (std::int64_t at = first; at < last; at += block_bytes / width) {
        const std::int64_t count = std::min(block_bytes / width, last - at);
        reader.read(tensor, at, count, block.data());
        hashes[t] +=
            content_hash(block.data(), count, static_cast<int>(width), static_cast<std::uint64_t>(at));
      }
    }
  });
  sum_hashes(comm, hashes);
  return hashes;
}

void verify(const Communicator& comm, const std::string& folder, const Manifest& manifest,
            const std::vector<std::string>& files) {
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
  const std::vector<Hash128> found = hashes_on_disk(comm, folder, tensors);
  for (std::size_t t = 0; t < tensors.size(); ++t) {
    if (found[t] == tensors[t].hash) continue;
    const std::string file = tensors[t].ranges.empty() ? manifest_name : tensors[t].ranges.front().file;
    throw DataError(folder + "/" + file,
                    cat("tensor ", tensors[t].path, " differs from what was written (hash)"));
  }
}

}  // namespace wan::checkpoint
