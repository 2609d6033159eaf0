#include "prep/prep_memory.hpp"

#include <algorithm>

#include "base/text.hpp"
#include "model/library_memory.hpp"
#include "model/storage.hpp"
#include "model/vae/tile_blender.hpp"
#include "weights/prompt_encoder.hpp"

namespace wan {
namespace {

PrepStageMemory texts(const ModelParts& model, DType storage) {
  const std::vector<std::int64_t> lengths(texts_at_once, Tokenizer::wan_max_length);
  const Umt5Memory memory = plan_umt5(model.text_encoder, storage, lengths);
  return {memory.weights, memory.activations, product_library_bytes};
}

std::int64_t encoder_activations(const VaeConfig& vae, DType storage, const FrameSize& size) {
  const VaeGeometry geometry = checked_geometry(vae, {size.height, size.width, 0}, DeviceKind::cuda);
  return plan_encode(vae, storage, geometry).memory.total();
}

/// Of whole frames, or of all sizes that tiles have, which are kept beside each other.
std::int64_t activations(const VaeConfig& vae, DType storage, const VaeTiling& tiling,
                         const FrameSize& size) {
  if (!tiling.cuts(size.height, size.width)) return encoder_activations(vae, storage, size);
  const auto tiles =
      tile_extents(tile_spans(size.height, tiling.tile_sample_min_height, tiling.tile_sample_stride_height),
                   tile_spans(size.width, tiling.tile_sample_min_width, tiling.tile_sample_stride_width));
  std::int64_t sum = 0;
  for (const auto& [height, width] : tiles) sum += encoder_activations(vae, storage, {height, width});
  return sum;
}

std::string line(const char* stage, const char* encoder, const PrepStageMemory& memory) {
  const auto bytes = [](std::int64_t count) { return human_bytes(static_cast<double>(count)); };
  return cat("memory of a GPU for ", stage, ": ", encoder, " ", bytes(memory.weights), ", activations ",
             bytes(memory.activations), ", libraries about ", bytes(memory.libraries), ", in all ",
             bytes(memory.total()));
}

}  // namespace

PrepMemory plan_prep_memory(const ModelParts& model, const VaeTiling& tiling,
                            const std::vector<FrameSize>& sizes) {
  const DType storage = storage_dtype(storage_on(DeviceKind::cuda, model.weights.storage));
  PrepMemory out;
  out.texts = texts(model, storage);
  out.clips.weights = weight_elements(model.vae, VaeParts::encoder) * bytes_of(storage);
  out.clips.libraries = product_library_bytes + convolution_library_bytes;
  for (const FrameSize& size : sizes) {
    out.clips.activations = std::max(out.clips.activations, activations(model.vae, storage, tiling, size));
  }
  return out;
}

std::string to_text(const PrepMemory& memory) {
  return cat(line("texts", "text encoder", memory.texts), "\n", line("clips", "VAE encoder", memory.clips));
}

}  // namespace wan
