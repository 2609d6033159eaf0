#pragma once
#include <optional>

#include "comm/communicator.hpp"
#include "device/ops/rms_norm_rope.hpp"
#include "model/dit/config.hpp"
#include "model/dit/pack_buffers.hpp"
#include "model/dit/recompute.hpp"
#include "model/walk.hpp"

namespace wan {

/// What every layer of one walk through the DiT sees. N = pack rows, M = text rows, R = samples, C = dim.
struct DitContext {
  const Walk& walk;
  const DitConfig& config;
  const PackView& view;
  RopeTable rope;
  DType storage;
  const Communicator& tp;  ///< ranks that hold the other heads
  Keep keep;               ///< what of Saved is there when the backward comes

  [[nodiscard]] const Pack& pack() const { return *view.pack; }
  [[nodiscard]] Ops& ops() const { return walk.ops(); }
  [[nodiscard]] std::int64_t rows() const { return pack().rows(); }
  [[nodiscard]] std::int64_t text_rows() const { return pack().text_rows(); }
  [[nodiscard]] std::int64_t samples() const { return static_cast<std::int64_t>(pack().samples().size()); }
  [[nodiscard]] std::int64_t dim() const { return config.dim(); }
  /// Heads, and their channels, on this rank.
  [[nodiscard]] std::int64_t local_heads() const { return config.num_attention_heads / tp.size(); }
  [[nodiscard]] std::int64_t local_dim() const { return local_heads() * config.attention_head_dim; }
  [[nodiscard]] float eps() const { return static_cast<float>(config.eps); }

  /// A backward finds, or will find, what matrix products and attention made.
  [[nodiscard]] bool keeps_products() const { return keep != Keep::nothing; }
  /// And what is elementwise in it.
  [[nodiscard]] bool keeps_all() const { return keep == Keep::all; }
  /// While it lives, what is allocated is given back afterwards, unless it is to be `kept`.
  [[nodiscard]] std::optional<Arena::Scope> dropped_unless(bool kept) const {
    if (kept) return std::nullopt;
    return std::optional<Arena::Scope>(std::in_place, walk.arena());
  }

  /// [rows(), columns] in storage dtype.
  [[nodiscard]] Tensor tokens(std::int64_t columns) const { return walk.tensor(storage, {rows(), columns}); }
  /// [rows()] fp32.
  [[nodiscard]] Tensor per_token() const { return walk.tensor(DType::f32, {rows()}); }
  /// [text_rows(), columns] in storage dtype.
  [[nodiscard]] Tensor text(std::int64_t columns) const {
    return walk.tensor(storage, {text_rows(), columns});
  }
};

}  // namespace wan
