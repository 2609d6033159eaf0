#pragma once

namespace wan::hdf5 {

/// Common HDF5 builds are not thread-safe: every call into the library is made under this one process-wide
/// lock. It is recursive, and threads get it in the order in which they asked, so that a background writer
/// and a loader take turns. Hold it for one small slab at a time.
class Lock {
 public:
  Lock();
  ~Lock();
  Lock(const Lock&) = delete;
  Lock& operator=(const Lock&) = delete;
};

}  // namespace wan::hdf5
