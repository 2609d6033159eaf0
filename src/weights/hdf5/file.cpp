#include "weights/hdf5/file.hpp"

#include <fcntl.h>
#include <hdf5.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cerrno>
#include <exception>
#include <filesystem>
#include <utility>

#include "base/error.hpp"
#include "base/file.hpp"
#include "base/text.hpp"
#include "weights/hdf5/call.hpp"
#include "weights/hdf5/lock.hpp"
#include "weights/hdf5/native.hpp"
#include "weights/hdf5/open_file.hpp"

namespace wan::hdf5 {
namespace {

/// No sieve buffer: a write must be with the system when it returns, because the process may be killed next.
/// No HDF5 file locks: they fail on some network file systems, and jobs lock their folder themselves.
Handle file_access() {
  Handle list(H5Pcreate(H5P_FILE_ACCESS), close_list, {});
  H5Pset_fclose_degree(list.id(), H5F_CLOSE_SEMI);
  H5Pset_sieve_buf_size(list.id(), 0);
  H5Pset_file_locking(list.id(), 0, 1);
  H5Pset_alignment(list.id(), 1 << 16, 1 << 12);
  return list;
}

void require_file(const std::string& path) {
  std::error_code error;
  if (!std::filesystem::exists(path, error)) throw NoInputError(path, "there is no such file");
  if (std::filesystem::is_directory(path, error)) throw NoInputError(path, "is a folder, a file is needed");
}

unsigned flags_of(Access access) {
  return access == Access::read ? H5F_ACC_RDONLY : H5F_ACC_RDWR;
}

Fault fault_of(Access access) {
  return access == Access::read ? Fault::content : Fault::transfer;
}

class Descriptor {
 public:
  explicit Descriptor(const std::string& path) : fd_(::open(path.c_str(), O_RDWR | O_CLOEXEC)) {
    if (fd_ < 0) throw IoError(path, errno, "cannot open");
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  ~Descriptor() { ::close(fd_); }
  [[nodiscard]] int id() const { return fd_; }

 private:
  int fd_;
};

}  // namespace

OpenFile::OpenFile(std::string name, std::int64_t file_id, bool is_parallel, bool is_writable)
    : path(std::move(name)),
      id(file_id),
      parallel(is_parallel),
      writable(is_writable),
      exceptions_at_open(std::uncaught_exceptions()) {}

namespace {

/// The descriptor of a file that is not parallel; -1 if HDF5 does not tell.
int descriptor_of(hid_t file) {
  void* handle = nullptr;
  if (H5Fget_vfd_handle(file, H5P_DEFAULT, &handle) < 0 || handle == nullptr) return -1;
  return *static_cast<int*>(handle);
}

/// errno if the disk has no room for all of the file, else 0, also where the file system cannot tell. The
/// file keeps its length: HDF5 allocates more than it needs and gives the rest back when it closes.
int reserve(hid_t file, int descriptor) {
  hsize_t bytes = 0;
  if (H5Fget_filesize(file, &bytes) < 0 || bytes == 0) return 0;
  if (::fallocate(descriptor, FALLOC_FL_KEEP_SIZE, 0, static_cast<off_t>(bytes)) == 0) return 0;
  return errno == EOPNOTSUPP || errno == ENOSYS ? 0 : errno;
}

/// Closes. Throws IoError if not all of the file is with the system; it is closed then, too.
void close_file(OpenFile& file) {
  const hid_t id = std::exchange(file.id, -1);
  // HDF5 1.10 keeps a dangling entry for a file that it could not flush, and crashes on it when MPI ends. So
  // room is made before the flush, and what a full disk has no room for goes into memory that nobody reads.
  const int descriptor = file.writable && !file.parallel ? descriptor_of(id) : -1;
  const int problem = descriptor >= 0 ? reserve(id, descriptor) : 0;
  if (problem != 0) {
    if (const int memory = ::memfd_create("unwritable", MFD_CLOEXEC); memory >= 0) {
      ::dup2(memory, descriptor);
      ::close(memory);
    }
    hsize_t bytes = 0;
    H5Fget_filesize(id, &bytes);
    H5Fclose(id);
    H5Eclear2(H5E_DEFAULT);
    throw IoError(file.path, problem,
                  cat("has ", bytes, " bytes (", human_bytes(static_cast<double>(bytes)), "), the disk has ",
                      free_bytes(file.path), " free for what is not written yet"));
  }
  check(H5Fclose(id), Fault::transfer, file.path, "", "close");
}

}  // namespace

OpenFile::~OpenFile() {
  if (id < 0) return;
  // The other ranks may never come to a collective close that an exception makes this rank start.
  if (parallel && std::uncaught_exceptions() > exceptions_at_open) return;
  const Lock lock;
  try {
    close_file(*this);
  } catch (const Error&) {
    // Whoever wants to know of it calls File::close.
  }
}

File File::create(const std::string& path) {
  const Lock lock;
  const Handle creation(H5Pcreate(H5P_FILE_CREATE), close_list, {});
  H5Pset_obj_track_times(creation.id(), false);
  const hid_t id = check(H5Fcreate(path.c_str(), H5F_ACC_TRUNC, creation.id(), file_access().id()),
                         Fault::create, path, "", "create");
  return File(std::make_shared<OpenFile>(path, id, false, true));
}

File File::open(const std::string& path, Access access) {
  require_file(path);
  const Lock lock;
  const hid_t id = check(H5Fopen(path.c_str(), flags_of(access), file_access().id()), Fault::content, path,
                         "", "open as HDF5");
  return opened(path, id, false, access == Access::write);
}

File File::open_parallel(const std::string& path, MPI_Comm comm, Access access) {
  require_file(path);
  const Lock lock;
  const Handle list = file_access();
  H5Pset_fapl_mpio(list.id(), comm, MPI_INFO_NULL);
  const hid_t id =
      check(H5Fopen(path.c_str(), flags_of(access), list.id()), fault_of(access), path, "", "open as HDF5");
  return opened(path, id, true, access == Access::write);
}

File File::opened(const std::string& path, std::int64_t id, bool parallel, bool writable) {
  auto file = std::make_shared<OpenFile>(path, id, parallel, writable);
  file->bytes = static_cast<std::int64_t>(std::filesystem::file_size(path));
  return File(std::move(file));
}

const std::string& File::path() const {
  return file_->path;
}

Group File::root() const {
  const Lock lock;
  const hid_t id = check(H5Gopen2(file_->id, "/", H5P_DEFAULT), Fault::content, file_->path, "/", "open");
  return {Handle(id, close_group, file_), "/"};
}

void File::close() {
  const std::shared_ptr<OpenFile> file = std::move(file_);
  if (file == nullptr) return;
  if (file.use_count() > 1)
    throw InternalError("[hdf5] " + file->path + " is closed while parts of it are in use");
  const Lock lock;
  close_file(*file);
}

void reserve_space(const std::string& path) {
  const Descriptor file(path);
  const off_t bytes = ::lseek(file.id(), 0, SEEK_END);
  if (bytes < 0) throw IoError(path, errno, "cannot find its length");
  if (bytes == 0) return;
  if (const int reason = ::posix_fallocate(file.id(), 0, bytes); reason != 0) {
    throw IoError(path, reason,
                  cat("cannot reserve ", bytes, " bytes (", human_bytes(static_cast<double>(bytes)),
                      "), the disk has ", free_bytes(path), " free"));
  }
}

}  // namespace wan::hdf5
