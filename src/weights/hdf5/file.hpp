#pragma once
#include <mpi.h>

#include <cstdint>
#include <memory>
#include <string>

#include "weights/hdf5/object.hpp"

namespace wan::hdf5 {

enum class Access { read, write };

/// One HDF5 file, closed on destruction or, with errors reported, by close(). Files carry no times, so equal
/// content is equal bytes, and no mark of being open, so a killed writer leaves a file that opens.
class File {
 public:
  /// A new file; an old one of that name is replaced. Throws CreateError.
  [[nodiscard]] static File create(const std::string& path);
  /// Throws NoInputError if there is none, DataError if it is no HDF5 file.
  [[nodiscard]] static File open(const std::string& path, Access access = Access::read);
  /// Collective over `comm`; transfers are independent. Nothing may be created in it: rank 0 creates and
  /// closes the file before. All ranks close it. One that ends by an exception lets go of it without the
  /// collective close.
  [[nodiscard]] static File open_parallel(const std::string& path, MPI_Comm comm, Access access);

  [[nodiscard]] const std::string& path() const;
  /// The root group.
  [[nodiscard]] Group root() const;

  /// Closes and throws IoError if that fails. Every object of the file must be gone. Collective for a
  /// parallel file.
  void close();

 private:
  [[nodiscard]] static File opened(const std::string& path, std::int64_t id, bool parallel, bool writable);
  explicit File(std::shared_ptr<OpenFile> file) : file_(std::move(file)) {}
  std::shared_ptr<OpenFile> file_;
};

/// Gives every byte of `path` a block on the disk, so that a full disk shows now and not while ranks write.
/// Throws IoError with bytes needed and free.
void reserve_space(const std::string& path);

}  // namespace wan::hdf5
