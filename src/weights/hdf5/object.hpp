#pragma once
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "tensor/shape.hpp"
#include "weights/hdf5/type.hpp"

namespace wan::hdf5 {

/// An open file, shared by the objects opened in it: it closes after the last of them. Made by File.
struct OpenFile;

/// Owns one HDF5 identifier (a hid_t) and keeps its file open.
class Handle {
 public:
  using Close = int (*)(std::int64_t);

  Handle() = default;
  Handle(std::int64_t id, Close close, std::shared_ptr<OpenFile> file);
  Handle(Handle&& other) noexcept;
  Handle& operator=(Handle&& other) noexcept;
  Handle(const Handle&) = delete;
  Handle& operator=(const Handle&) = delete;
  ~Handle();

  [[nodiscard]] std::int64_t id() const { return id_; }
  [[nodiscard]] const std::shared_ptr<OpenFile>& file() const { return file_; }

 private:
  std::int64_t id_ = -1;
  Close close_ = nullptr;
  std::shared_ptr<OpenFile> file_;
};

/// A contiguous array of a file. Transfers have memory type = file type (HDF5 converts bf16 slowly and rounds
/// it wrongly), are cut into small slabs, each under the Lock, and are independent in a file opened in
/// parallel. Reading throws DataError (the range does not exist, the file is cut short); writing throws
/// IoError.
class Dataset {
 public:
  Dataset(Handle handle, std::string name);

  [[nodiscard]] const std::string& name() const { return name_; }
  [[nodiscard]] Type type() const { return type_; }
  [[nodiscard]] const Shape& shape() const { return shape_; }

  /// Throws DataError unless the type is `type` and the extents are `extents`, where -1 allows any.
  const Dataset& expect(Type type, const std::vector<std::int64_t>& extents) const;

  /// Elements [first, first + count) of the array in row-major order; `to` holds count × bytes_of(type())
  /// bytes.
  void read(std::int64_t first, std::int64_t count, void* to) const;
  void write(std::int64_t first, std::int64_t count, const void* from);
  /// The box start .. start + extents, dense in memory.
  void read_box(const Shape& start, const Shape& extents, void* to) const;
  void write_box(const Shape& start, const Shape& extents, const void* from);

  /// Place of the first element in the file, in bytes.
  [[nodiscard]] std::int64_t file_offset() const;

 private:
  void check_range(std::int64_t first, std::int64_t count) const;
  void transfer(const Shape& start, const Shape& extents, void* to, const void* from) const;

  Handle handle_;
  std::string name_;
  Type type_;
  Shape shape_;
};

/// A group of a file. Names are paths relative to it, "a/b". Reading throws DataError naming file and object
/// if something is missing or has another type or size; creating throws IoError.
class Group {
 public:
  Group(Handle handle, std::string name);

  [[nodiscard]] bool has(const std::string& name) const;
  /// Names of the members in alphabetical order.
  [[nodiscard]] std::vector<std::string> members() const;
  [[nodiscard]] Group group(const std::string& name) const;
  [[nodiscard]] Dataset dataset(const std::string& name) const;

  /// Missing groups on the way are made too.
  Group create_group(const std::string& name);
  /// Contiguous, its space allocated at once and not filled: what nobody writes reads as zero bytes.
  Dataset create_dataset(const std::string& name, Type type, const Shape& shape);

  [[nodiscard]] bool has_attribute(const std::string& key) const;
  void write_attribute(const std::string& key, const std::string& value);
  void write_attribute(const std::string& key, std::int64_t value);
  void write_attribute(const std::string& key, double value);
  [[nodiscard]] std::string text_attribute(const std::string& key) const;
  [[nodiscard]] std::int64_t integer_attribute(const std::string& key) const;
  [[nodiscard]] double number_attribute(const std::string& key) const;

  /// A whole small one-dimensional array at once.
  template <class T>
  void write_array(const std::string& name, const std::vector<T>& values) {
    const auto count = static_cast<std::int64_t>(values.size());
    create_dataset(name, type_for<T>(), Shape{count}).write(0, count, values.data());
  }
  /// `count` elements are expected, or any number if it is -1.
  template <class T>
  [[nodiscard]] std::vector<T> read_array(const std::string& name, std::int64_t count = -1) const {
    const Dataset array = dataset(name);
    array.expect(type_for<T>(), {count});
    std::vector<T> values(static_cast<std::size_t>(array.shape()[0]));
    array.read(0, array.shape()[0], values.data());
    return values;
  }

  /// Texts as a byte pool `name` with n + 1 offsets `name`_offset (parallel files know no variable-length
  /// strings).
  void write_strings(const std::string& name, const std::vector<std::string>& texts);
  /// `count` texts are expected, or any number if it is -1.
  [[nodiscard]] std::vector<std::string> read_strings(const std::string& name, std::int64_t count = -1) const;

 private:
  Handle handle_;
  std::string name_;
};

}  // namespace wan::hdf5
