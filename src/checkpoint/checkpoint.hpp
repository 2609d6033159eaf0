#pragma once
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/json.hpp"
#include "checkpoint/manifest.hpp"
#include "comm/communicator.hpp"
#include "tensor/shard.hpp"

namespace wan::checkpoint {

/// Which checkpoint to open, and how much of it.
struct Wanted {
  /// A step; -1 for the newest good one.
  std::int64_t step = -1;
  /// False skips the hashes of optim.h5, which sampling never reads.
  bool optimizer = true;
  /// Of this rank, to read and hash with.
  int threads = 1;
};

/// A committed checkpoint whose manifest, sizes and hashes have been verified. Tensors are global and
/// logical: any layout reads any other's.
class Checkpoint {
 public:
  [[nodiscard]] const std::string& folder() const { return folder_; }
  [[nodiscard]] std::int64_t step() const { return manifest_.step; }
  /// The state and config that rank 0 gave to save.
  [[nodiscard]] const Json& state() const { return state_; }
  [[nodiscard]] const std::string& config() const { return config_; }
  [[nodiscard]] const Manifest& manifest() const { return manifest_; }

  /// The tensor, or nullptr.
  [[nodiscard]] const StoredTensor* find(const std::string& path) const;
  /// Fills `to` (part.elements() elements of `dtype`, fp32 or bf16) in the order of the part's boxes. bf16
  /// widens to fp32 exactly, fp32 rounds to bf16 to nearest even. Independent: any rank may call it at any
  /// time. Throws DataError if the path is missing or the part's global shape is not the stored one.
  void read(const std::string& path, const ShardSpec& part, DType dtype, void* to) const;

 private:
  friend Checkpoint open_iteration(const Communicator& comm, const std::string& folder, const Wanted& wanted);

  std::string folder_;
  Manifest manifest_;
  std::map<std::string, std::size_t> index_;
  Json state_;
  std::string config_;
};

/// Verifies and opens one folder iter_…. Throws DataError, NoInputError or IoError as SharedError on all
/// ranks, saying what is wrong. Collective.
[[nodiscard]] Checkpoint open_iteration(const Communicator& comm, const std::string& folder,
                                        const Wanted& wanted);

/// The newest checkpoint of a run that verifies (or the wanted step); says on rank 0 why newer ones were
/// passed over. Nothing if the folder is missing or holds no iteration. Throws exit code 65, on all ranks, if
/// iterations exist and none verifies: never a fresh start over them. Collective.
[[nodiscard]] std::optional<Checkpoint> open_newest(const Communicator& comm, const std::string& run,
                                                    const Wanted& wanted = {});

}  // namespace wan::checkpoint
