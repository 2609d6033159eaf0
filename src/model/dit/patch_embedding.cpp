#include "model/dit/patch_embedding.hpp"

namespace wan {

void patch_embedding_forward(const DitContext& context, const ParameterUnit& unit, const EmbedGroups& groups,
                             const Tensor& latents, PatchEmbeddingSaved& saved, const Tensor& x) {
  saved.patches = context.tokens(4 * context.config.in_channels);
  context.ops().patchify({latents, &context.pack().layout(), PatchOrder::channel_first, saved.patches});
  Linear(unit, groups.patch).forward(context.walk, saved.patches, x);
  context.walk.dump(unit.name(), "patch", x);
}

void patch_embedding_backward(const DitContext& context, const ParameterUnit& unit, const EmbedGroups& groups,
                              const PatchEmbeddingSaved& saved, const Tensor& dx) {
  context.walk.dump(unit.name(), "patch.grad", dx);
  Linear(unit, groups.patch).backward_weight(context.walk, dx, saved.patches);
}

}  // namespace wan
