#pragma once
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/json.hpp"
#include "tensor/dtype.hpp"
#include "tensor/shard.hpp"

namespace wan::checkpoint {

/// Which file a tensor goes to: what sampling needs, or what only training needs.
enum class FileKind { model, optim };

[[nodiscard]] inline const char* file_name_of(FileKind kind) {
  return kind == FileKind::model ? "model.h5" : "optim.h5";
}

/// This rank's part of one tensor, in host memory.
struct SnapshotPart {
  FileKind kind = FileKind::model;
  /// Absolute path in the file: /transformer/NAME, /ema/transformer/NAME, /exp_avg/transformer/NAME, …
  std::string path;
  /// fp32 or bf16.
  DType dtype = DType::f32;
  ShardSpec part;
  /// part.elements() elements in the order of its boxes.
  const void* data = nullptr;
  /// In place of `data`: writes them to memory, each time they are needed, so that a checkpoint can be larger
  /// than that.
  std::function<void(void* to)> fill = nullptr;

  /// The elements, where need be in `room`.
  [[nodiscard]] const std::byte* values(std::vector<std::byte>& room) const {
    if (fill == nullptr) return static_cast<const std::byte*>(data);
    room.resize(static_cast<std::size_t>(part.elements() * bytes_of(dtype)));
    fill(room.data());
    return room.data();
  }
};

/// What one rank brings to a checkpoint. Over all ranks the parts of a tensor hold each element exactly once
/// (of replicas only one is brought); a rank lists only what it has. `state` and `config` are those of rank
/// 0.
struct Snapshot {
  std::int64_t step = 0;
  std::vector<SnapshotPart> parts;
  Json state;
  std::string config;
  /// Whether NaN and infinity are refused: training must not keep them, a conversion changes nothing.
  bool refuse_not_finite = true;
  /// Keeps the memory behind `parts` alive until the checkpoint is written.
  std::shared_ptr<const void> memory;
};

}  // namespace wan::checkpoint
