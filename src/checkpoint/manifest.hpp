#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include "base/hash.hpp"
#include "tensor/dtype.hpp"
#include "tensor/shape.hpp"

namespace wan::checkpoint {

/// Elements [first, first + count) of a tensor, row-major, lie dense in `file` from byte `offset` on, inside
/// the HDF5 dataset `dataset`.
struct StoredRange {
  std::string file;
  std::string dataset;
  std::int64_t offset = 0;
  std::int64_t first = 0;
  std::int64_t count = 0;
};

/// One tensor, global and logical. Its ranges are in order and cover it exactly once. `hash` is the sum of
/// the content hashes of its parts (base/hash.hpp).
struct StoredTensor {
  std::string path;
  DType dtype = DType::f32;
  Shape shape;
  Hash128 hash;
  std::vector<StoredRange> ranges;
  [[nodiscard]] std::int64_t elements() const { return shape.elements(); }
};

/// A file of the checkpoint other than the manifest. `hash` is the XXH3-128 of the bytes that no tensor's
/// range covers, in order: the whole of a text file, the HDF5 structures and gaps of a tensor file.
struct StoredFile {
  std::string name;
  std::int64_t bytes = 0;
  Hash128 hash;
};

/// The contents of manifest.json: what a checkpoint holds, to the last bit.
struct Manifest {
  static constexpr std::int64_t format_version = 1;

  std::int64_t step = 0;
  std::vector<StoredFile> files;
  std::vector<StoredTensor> tensors;

  [[nodiscard]] const StoredFile* file(const std::string& name) const;
};

/// The file's text. Its last member is the hash of everything before it.
[[nodiscard]] std::string to_text(const Manifest& manifest);

/// Inverse. Throws DataError(source) unless the text is exactly what to_text could have written: hash,
/// version, names without tricks, shapes, and ranges that cover each tensor and stay inside their files
/// without overlap.
[[nodiscard]] Manifest manifest_from_text(const std::string& text, const std::string& source);

}  // namespace wan::checkpoint
