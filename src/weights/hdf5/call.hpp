#pragma once
#include <cstdint>
#include <string>

/// Used by this folder's .cpp files only: HDF5's error codes become typed exceptions. The caller holds the
/// Lock.
namespace wan::hdf5 {

/// What a failed call means to whoever asked for it.
enum class Fault {
  content,  ///< DataError: the file is not what it should be
  create,   ///< CreateError
  transfer  ///< IoError, with the errno that HDF5 reports
};

/// Throws for `fault`, folding HDF5's innermost messages into "file: object: cannot `what` (…)"; clears its
/// stack.
[[noreturn]] void fail(Fault fault, const std::string& file, const std::string& object,
                       const std::string& what);

/// `code` unless it is negative, which is HDF5's sign of failure.
template <class Code>
Code check(Code code, Fault fault, const std::string& file, const std::string& object, const char* what) {
  if (code < 0) fail(fault, file, object, what);
  return code;
}

}  // namespace wan::hdf5
