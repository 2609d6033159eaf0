#pragma once
#include <cstdint>
#include <vector>

#include "tensor/tensor.hpp"

namespace wan {

/// A sample's token grid.
struct Grid {
  std::int64_t frames = 0;   ///< latent frames (temporal patch size 1)
  std::int64_t rows = 0;     ///< latent height / 2
  std::int64_t columns = 0;  ///< latent width / 2

  [[nodiscard]] std::int64_t tokens() const { return frames * rows * columns; }
  friend bool operator==(const Grid& a, const Grid& b) {
    return a.frames == b.frames && a.rows == b.rows && a.columns == b.columns;
  }
};

/// The latents of a pack lie one after the other, sample s as [C, f, 2 rows, 2 columns] from element
/// offset[s] * 4 C on. `offset` has n + 1 token offsets; tokens run frame, row, column, the last fastest.
struct PatchLayout {
  std::vector<std::int64_t> offset;
  std::vector<Grid> grid;
};

/// Which of the two feature orders a token has (they differ in Wan: model.py patch_embedding, unpatchify).
enum class PatchOrder {
  channel_first,  ///< (c, ph, pw): input of patch_embedding
  channel_last,   ///< (ph, pw, c): output of proj_out
};

/// tokens[t, :] = the 4 C values of token t's patch. dtype is converted as needed. Rows of `tokens` past the
/// last token are set to zero.
struct Patchify {
  Tensor latents;  ///< flat, offset[n] * 4 C elements
  const PatchLayout* layout = nullptr;
  PatchOrder order = PatchOrder::channel_first;
  Tensor tokens;  ///< [N', 4 C], N' >= offset[n]
};

/// The inverse permutation.
struct Unpatchify {
  Tensor tokens;  ///< [N', 4 C]
  const PatchLayout* layout = nullptr;
  PatchOrder order = PatchOrder::channel_last;
  Tensor latents;  ///< flat, offset[n] * 4 C elements
};

}  // namespace wan
