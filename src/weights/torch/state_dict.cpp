#include "weights/torch/state_dict.hpp"

#include <algorithm>
#include <cstddef>
#include <map>
#include <memory>

#include "base/error.hpp"
#include "base/file.hpp"
#include "base/text.hpp"
#include "weights/torch/pickle.hpp"
#include "weights/torch/stored_zip.hpp"

namespace wan {
namespace {

using Entries = std::map<std::string, ZipEntry>;

constexpr std::string_view pickle_name = "data.pkl";

std::string read_entry(const InputFile& file, const std::string& name, const ZipEntry& entry,
                       std::int64_t most_bytes) {
  if (entry.bytes > most_bytes) {
    throw DataError(file.path(), cat("its ", name, " takes ", entry.bytes, " bytes, allowed: ", most_bytes));
  }
  std::string out(static_cast<std::size_t>(entry.bytes), ' ');
  file.read(entry.offset, out.data(), entry.bytes);
  return out;
}

/// "archive/" or whatever folder all entries lie in.
std::string root_of(const InputFile& file, const Entries& entries) {
  for (const auto& [name, entry] : entries) {
    if (name.size() < pickle_name.size() || name.find('/') != name.rfind('/')) continue;
    const std::size_t cut = name.size() - pickle_name.size();
    if (name.compare(cut, std::string::npos, pickle_name) == 0 && (cut == 0 || name[cut - 1] == '/'))
      return name.substr(0, cut);
  }
  throw DataError(file.path(), "is a zip file without data.pkl: torch.save did not write it");
}

/// Where the elements of a view lie: dense runs of `run` elements, the axes before them strided.
struct View {
  PickledTensor tensor;
  std::int64_t storage_offset = 0;  ///< bytes, of the storage in the file
  std::int64_t run = 1;
  int outer = 0;  ///< axes that are not part of a run
};

View view_of(const PickledTensor& tensor, std::int64_t storage_offset) {
  View out{tensor, storage_offset, 1, tensor.shape.rank()};
  while (out.outer > 0) {
    const std::int64_t extent = tensor.shape[out.outer - 1];
    if (extent != 1 && tensor.strides[static_cast<std::size_t>(out.outer - 1)] != out.run) break;
    out.run *= extent;
    --out.outer;
  }
  return out;
}

/// In the storage, of the first element of run number `number`.
std::int64_t begin_of_run(const View& view, std::int64_t number) {
  std::int64_t at = view.tensor.offset;
  for (int axis = view.outer - 1; axis >= 0; --axis) {
    const std::int64_t extent = view.tensor.shape[axis];
    at += number % extent * view.tensor.strides[static_cast<std::size_t>(axis)];
    number /= extent;
  }
  return at;
}

void read_view(const InputFile& file, const View& view, std::int64_t first, std::int64_t count, void* to) {
  const std::int64_t width = bytes_of(view.tensor.dtype);
  auto* out = static_cast<std::byte*>(to);
  while (count > 0) {
    const std::int64_t inside = first % view.run;
    const std::int64_t n = std::min(count, view.run - inside);
    const std::int64_t element = begin_of_run(view, first / view.run) + inside;
    file.read(view.storage_offset + element * width, out, n * width);
    out += n * width;
    first += n;
    count -= n;
  }
}

const ZipEntry& storage_of(const InputFile& file, const Entries& entries, const std::string& root,
                           const PickledTensor& tensor) {
  const std::string name = cat(root, "data/", tensor.storage);
  const auto at = entries.find(name);
  if (at == entries.end()) {
    throw DataError(file.path(), cat("tensor '", tensor.name, "' lies in ", name, ", which is not there"));
  }
  if (at->second.bytes / bytes_of(tensor.dtype) < tensor.storage_elements) {
    throw DataError(file.path(),
                    cat("tensor '", tensor.name, "' lies in ", name, " of ", tensor.storage_elements,
                        " elements ", name_of(tensor.dtype), ", which has ", at->second.bytes, " bytes"));
  }
  return at->second;
}

}  // namespace

StreamedComponent open_state_dict(const std::string& path) {
  const auto file = std::make_shared<const InputFile>(path);
  const Entries entries = read_stored_zip(*file);
  const std::string root = root_of(*file, entries);
  constexpr std::int64_t most_word_bytes = 64;
  if (const auto order = entries.find(root + "byteorder"); order != entries.end()) {
    const std::string found = read_entry(*file, order->first, order->second, most_word_bytes);
    if (found != "little") throw DataError(path, cat("its byte order is '", found, "', allowed: little"));
  }
  const std::string pickle_entry = root + std::string(pickle_name);
  const std::string pickle = read_entry(*file, pickle_entry, entries.at(pickle_entry), most_pickle_bytes);
  StreamedComponent out{path, {}};
  for (const PickledTensor& tensor : parse_state_dict(pickle, path)) {
    const View view = view_of(tensor, storage_of(*file, entries, root, tensor).offset);
    out.tensors.push_back({tensor.name, tensor.dtype, tensor.shape,
                           [file, view](std::int64_t first, std::int64_t count, void* to) {
                             read_view(*file, view, first, count, to);
                           }});
  }
  return out;
}

}  // namespace wan
