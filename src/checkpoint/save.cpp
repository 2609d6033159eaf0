#include "checkpoint/save.hpp"

#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <filesystem>

#include "base/error.hpp"
#include "base/file.hpp"
#include "base/json.hpp"
#include "base/log.hpp"
#include "base/text.hpp"
#include "checkpoint/disk_file.hpp"
#include "checkpoint/manifest.hpp"
#include "checkpoint/names.hpp"
#include "checkpoint/table.hpp"
#include "checkpoint/tensor_file.hpp"
#include "checkpoint/verify.hpp"

namespace wan::checkpoint {
namespace {

namespace fs = std::filesystem;

constexpr FileKind kinds[] = {FileKind::model, FileKind::optim};
/// What HDF5 needs beside a tensor's data: its header and its share of the groups.
constexpr std::int64_t bytes_per_tensor = 1024;

/// A file of more than this is not expected of a full disk's last kilobytes; the manifest and the JSON go
/// here.
std::int64_t bytes_needed(const TensorTable& table, const Snapshot& snapshot) {
  return table.bytes() + static_cast<std::int64_t>(table.tensors.size()) * bytes_per_tensor +
         static_cast<std::int64_t>(snapshot.config.size() + snapshot.state.dump().size());
}

[[noreturn]] void refuse(const std::string& run, int reason, std::int64_t needed) {
  const std::int64_t found = free_bytes(run);
  throw IoError(run, reason,
                cat("a checkpoint needs ", needed, " bytes (", human_bytes(static_cast<double>(needed)),
                    "), found ", found, " bytes free (", human_bytes(static_cast<double>(found)), ")"));
}

/// Asks the file system for all the space before anything is written, and gives it back: quotas and limits
/// that statvfs does not know show here, and HDF5, which does not survive a full disk while it creates a
/// file, never meets one.
void require_space(const std::string& run, const std::string& draft, std::int64_t needed) {
  if (free_bytes(run) < needed) refuse(run, ENOSPC, needed);
  const std::string path = draft + "/space";
  const int file = ::open(path.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
  if (file < 0) throw CreateError(path, std::strerror(errno));
  const int failed = ::fallocate(file, 0, 0, needed) == 0 ? 0 : errno;
  ::close(file);
  ::unlink(path.c_str());
  if (failed != 0 && failed != EOPNOTSUPP && failed != ENOSYS) refuse(run, failed, needed);
}

/// Ranges found by rank 0 while it created the files, on all ranks.
void share_ranges(const Communicator& comm, TensorTable& table) {
  std::vector<std::int64_t> offsets;
  for (const StoredTensor& tensor : table.tensors) {
    offsets.push_back(tensor.ranges.empty() ? -1 : tensor.ranges.front().offset);
  }
  comm.broadcast(Tensor(offsets.data(), DType::i64, {static_cast<std::int64_t>(offsets.size())}), 0).wait();
  for (std::size_t t = 0; t < offsets.size(); ++t) {
    StoredTensor& tensor = table.tensors[t];
    if (offsets[t] < 0) continue;
    tensor.ranges = {{file_name_of(table.kinds[t]), tensor.path, offsets[t], 0, tensor.elements()}};
  }
}

/// Makes `draft` the folder `final`, in one step also when that exists; the old one is then removed.
void put_in_place(const std::string& draft, const std::string& final) {
  if (::renameat2(AT_FDCWD, draft.c_str(), AT_FDCWD, final.c_str(), RENAME_NOREPLACE) == 0) return;
  if (errno == EINVAL || errno == ENOSYS) {
    // A file system without the flags: a plain rename never replaces a folder that holds something.
    if (::rename(draft.c_str(), final.c_str()) == 0) return;
  }
  if (errno != EEXIST && errno != ENOTEMPTY) throw IoError(draft, errno, "cannot rename to " + final);
  if (::renameat2(AT_FDCWD, draft.c_str(), AT_FDCWD, final.c_str(), RENAME_EXCHANGE) != 0) {
    const std::string aside = draft + ".replaced";
    if (::rename(final.c_str(), aside.c_str()) != 0)
      throw IoError(final, errno, "cannot move the old one aside");
    if (::rename(draft.c_str(), final.c_str()) != 0) throw IoError(draft, errno, "cannot rename to " + final);
    fs::remove_all(aside);
    return;
  }
  fs::remove_all(draft);
}

void commit(const std::string& run, const std::string& draft, const Snapshot& snapshot,
            const TensorTable& table) {
  write_file_atomically(draft + "/" + state_name, snapshot.state.dump(2) + "\n");
  write_file_atomically(draft + "/" + config_name, snapshot.config);
  Manifest manifest;
  manifest.step = snapshot.step;
  manifest.tensors = table.tensors;
  for (const char* name :
       {file_name_of(FileKind::model), file_name_of(FileKind::optim), state_name, config_name}) {
    manifest.files.push_back(
        {name, DiskFile(draft + "/" + name).bytes(), hash_between_tensors(draft, name, table.tensors)});
  }
  write_file_atomically(draft + "/" + manifest_name, to_text(manifest));
  sync_path(draft);
  put_in_place(draft, run + "/" + iteration_name(snapshot.step));
  sync_path(run);
  try {
    write_file_atomically(run + "/" + tracker_name, cat(snapshot.step, "\n"));
  } catch (const Error& error) {
    // Only a hint: the checkpoint is there and will be found.
    log::warn(error.what());
  }
}

void save_or_throw(const Communicator& comm, const std::string& run, const std::string& draft,
                   const Snapshot& snapshot, int threads) {
  TensorTable table = gather_table(comm, snapshot.parts);
  do_together(comm, [&] {
    if (comm.rank() != 0) return;
    make_folders(run);
    fs::remove_all(draft);
    make_folders(draft);
    require_space(run, draft, bytes_needed(table, snapshot));
    for (const FileKind kind : kinds) create_tensor_file(draft, kind, snapshot.step, table);
  });
  share_ranges(comm, table);
  write_parts(comm, draft, snapshot, table, threads);
  const std::vector<Hash128> found = hashes_on_disk(comm, draft, table.tensors, threads);
  do_together(comm, [&] {
    if (comm.rank() != 0) return;
    for (std::size_t t = 0; t < found.size(); ++t) {
      if (found[t] == table.tensors[t].hash) continue;
      throw IoError(draft, 0,
                    cat("tensor ", table.tensors[t].path, " reads back other than it was written (hash)"));
    }
    commit(run, draft, snapshot, table);
  });
}

void remove_old(const std::string& run, const Retention& retention, std::int64_t verified) {
  for (const std::int64_t step : steps_to_remove(iterations_in(run), retention, verified)) {
    try {
      remove_iteration(run, step);
    } catch (const Error& error) {
      // It takes space but does no harm.
      log::warn(error.what());
    }
  }
}

std::string draft_name(const std::string& run, std::int64_t step) {
  const char* job = std::getenv("SLURM_JOB_ID");
  return cat(run, "/", iteration_name(step), ".tmp.", job == nullptr ? "" : job, "-", ::getpid());
}

}  // namespace

Outcome save(const Communicator& comm, const std::string& run, const Snapshot& snapshot,
             const Retention& retention, int threads) {
  std::string draft;
  Outcome outcome;
  try {
    draft = broadcast_text(comm, draft_name(run, snapshot.step));
    save_or_throw(comm, run, draft, snapshot, threads);
  } catch (...) {
    outcome = outcome_of_exception();
  }
  if (comm.rank() != 0) return outcome;
  if (outcome.good()) {
    remove_old(run, retention, snapshot.step);
  } else if (!draft.empty()) {
    std::error_code ignored;
    fs::remove_all(draft, ignored);
  }
  return outcome;
}

}  // namespace wan::checkpoint
