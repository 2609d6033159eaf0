#pragma once
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "base/file.hpp"
#include "base/hash.hpp"
#include "weights/safetensors_header.hpp"
#include "weights/streamed_tensor.hpp"

namespace wan {

/// A safetensors file open for reading; its header has been checked as a whole. Errors are DataError, naming
/// file and tensor, and IoError. Reading from several threads at once is safe.
class SafetensorsFile {
 public:
  explicit SafetensorsFile(const std::string& path);

  [[nodiscard]] const std::string& path() const { return file_.path(); }
  /// Ordered by name.
  [[nodiscard]] const std::vector<StoredTensor>& tensors() const { return header_.tensors; }
  [[nodiscard]] const std::vector<std::pair<std::string, std::string>>& metadata() const {
    return header_.metadata;
  }
  [[nodiscard]] const StoredTensor* find(const std::string& name) const;
  /// Throws DataError naming the nearest name.
  [[nodiscard]] const StoredTensor& at(const std::string& name) const;

  /// The tensor's bytes as they are stored.
  void read_bytes(const StoredTensor& tensor, void* out) const;
  /// Elements [first, first + count), row-major, as they are stored.
  void read_elements(const StoredTensor& tensor, std::int64_t first, std::int64_t count, void* out) const;
  /// All elements as fp32. F32, F16 and BF16 exactly; other types are refused.
  void read_floats(const StoredTensor& tensor, float* out) const;
  [[nodiscard]] std::vector<float> floats(const std::string& name) const;
  /// An F64 or F32 tensor.
  [[nodiscard]] std::vector<double> doubles(const std::string& name) const;
  /// An I64 or I32 tensor.
  [[nodiscard]] std::vector<std::int64_t> integers(const std::string& name) const;
  /// content_hash of the elements as they are stored.
  [[nodiscard]] Hash128 hash(const StoredTensor& tensor) const;

 private:
  [[noreturn]] void wrong_type(const StoredTensor& tensor, const char* allowed) const;

  InputFile file_;
  SafetensorsHeader header_;
};

/// A dense tensor in host memory, about to be written.
struct TensorToStore {
  std::string name;
  DType dtype = DType::f32;
  Shape shape;
  const void* data = nullptr;
};

/// Writes a safetensors file in one step (AtomicFile). As the reference implementation does, tensors are
/// ordered by element size, largest first, then by name, so that each is aligned to its elements; the data
/// begin at a multiple of 8. Equal content gives equal bytes. Throws CreateError, IoError, what reading the
/// tensors throws; InternalError if two names are equal.
void stream_safetensors(const std::string& path, std::vector<StreamedTensor> tensors,
                        const std::vector<std::pair<std::string, std::string>>& metadata = {});

/// The same for tensors in memory.
void write_safetensors(const std::string& path, const std::vector<TensorToStore>& tensors,
                       const std::vector<std::pair<std::string, std::string>>& metadata = {});

}  // namespace wan
