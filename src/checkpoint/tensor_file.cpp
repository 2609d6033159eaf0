#include "checkpoint/tensor_file.hpp"

#include <mpi.h>

#include <cstddef>
#include <optional>
#include <utility>

#include "base/file.hpp"
#include "comm/agree.hpp"
#include "weights/hdf5/file.hpp"

namespace wan::checkpoint {
namespace {

/// Paths are absolute in the file; Group takes them relative to the root.
std::string in_root(const std::string& path) {
  return path.substr(1);
}

/// One rank, and threads of one process that play the ranks, need no MPI.
hdf5::File open_together(const Communicator& comm, const std::string& path) {
  const auto* handle = static_cast<const MPI_Comm*>(comm.native());
  if (handle == nullptr || comm.size() == 1) return hdf5::File::open(path, hdf5::Access::write);
  return hdf5::File::open_parallel(path, *handle, hdf5::Access::write);
}

void write_own(const hdf5::Group& root, FileKind kind, const std::vector<SnapshotPart>& parts) {
  std::vector<std::byte> room;
  for (const SnapshotPart& part : parts) {
    if (part.kind != kind || part.part.elements() == 0) continue;
    hdf5::Dataset dataset = root.dataset(in_root(part.path));
    const std::int64_t width = bytes_of(part.dtype);
    const std::byte* const values = part.values(room);
    for (const Slab& slab : part.part.slabs()) {
      dataset.write_box(slab.start, slab.extent, values + slab.local * width);
    }
  }
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

void write_parts(const Communicator& comm, const std::string& folder, FileKind kind,
                 const std::vector<SnapshotPart>& parts) {
  const std::string path = folder + "/" + file_name_of(kind);
  std::optional<hdf5::File> file;
  // Where only some can open it, those leave by the exception and let go of it without the collective close.
  do_together(comm, [&] { file = open_together(comm, path); });
  const Outcome written = try_together(comm, [&] { write_own(file->root(), kind, parts); });
  const Outcome closed = try_together(comm, [&] { file->close(); });
  if (!written.good()) throw SharedError(written);
  if (!closed.good()) throw SharedError(closed);
  do_together(comm, [&] { sync_path(path); });
}

}  // namespace wan::checkpoint
