#include "model/dit/dit.hpp"

#include <optional>

// The walks that train: forward and backward, whole and in parts.

namespace wan {
namespace {

Keep kept_by_forward(Recompute policy) {
  switch (policy) {
    case Recompute::none:
      return Keep::all;
    case Recompute::norms:
      return Keep::products;
    case Recompute::keep_attention:
    case Recompute::full:
      break;
  }
  return Keep::nothing;
}

}  // namespace

void Dit::forward(const Walk& walk, const PackView& view, const Tensor& latents, const Tensor& text,
                  DitSaved& saved, const Tensor& prediction) const {
  forward_embed(walk, view, latents, text, saved);
  forward_blocks(walk, view, 0, config_.num_layers, saved);
  forward_head(walk, view, saved, prediction);
}

void Dit::forward_embed(const Walk& walk, const PackView& view, const Tensor& latents, const Tensor& text,
                        DitSaved& saved) const {
  const DitContext keeping = context(walk, view, Keep::all);
  saved.x.resize(static_cast<std::size_t>(config_.num_layers) + 1);
  saved.blocks.resize(static_cast<std::size_t>(config_.num_layers));
  saved.x.front() = keeping.tokens(config_.dim());
  walk.acquire(embed_unit, Pass::forward);
  embed_time_and_patches(keeping, latents, saved, saved.x.front());
  text_embedding_forward(keeping, unit(embed_unit), groups_.embed, text, saved.text);
  walk.release(embed_unit, Pass::forward);
}

void Dit::forward_blocks(const Walk& walk, const PackView& view, std::int64_t first, std::int64_t last,
                         DitSaved& saved) const {
  const Conditioning conditioning = {saved.time.e0, saved.text.context};
  for (std::int64_t layer = first; layer < last; ++layer) {
    const auto at = static_cast<std::size_t>(layer);
    const Recompute policy = saved.recompute.of(layer);
    const DitContext through = context(walk, view, kept_by_forward(policy));
    saved.x[at + 1] = through.tokens(config_.dim());
    saved.blocks[at] = {};
    if (policy == Recompute::keep_attention) reserve_attention(through, saved.blocks[at].self_attention);
    const int index = block_unit(layer);
    walk.acquire(index, Pass::forward);
    {
      const auto dropped = through.dropped_unless(through.keeps_products());
      block_forward(through, unit(index), groups_.block, conditioning, {}, saved.x[at], saved.blocks[at],
                    saved.x[at + 1]);
    }
    walk.release(index, Pass::forward);
  }
}

void Dit::forward_head(const Walk& walk, const PackView& view, DitSaved& saved,
                       const Tensor& prediction) const {
  walk.acquire(head_unit(), Pass::forward);
  head_forward(context(walk, view, Keep::all), unit(head_unit()), groups_.head, saved.time.e, saved.x.back(),
               saved.head, prediction);
  walk.release(head_unit(), Pass::forward);
}

void Dit::backward(const Walk& walk, const PackView& view, DitSaved& saved, const Tensor& dprediction,
                   bool last_microbatch) const {
  const Arena::Scope scope(walk.arena());
  const DitGradient gradient = begin_backward(walk, saved);
  backward_head(walk, view, saved, dprediction, gradient, last_microbatch);
  backward_blocks(walk, view, 0, config_.num_layers, saved, gradient, last_microbatch);
  backward_embed(walk, view, saved, gradient, last_microbatch);
}

DitGradient Dit::begin_backward(const Walk& walk, const DitSaved& saved) const {
  const Shape& context_shape = saved.text.context.shape;
  return {walk.zeros(storage_, saved.x.back().shape),
          walk.zeros(DType::f32, saved.time.e.shape),
          {walk.zeros(DType::f32, saved.time.e0.shape), walk.zeros(DType::f32, context_shape)}};
}

void Dit::backward_head(const Walk& walk, const PackView& view, const DitSaved& saved,
                        const Tensor& dprediction, const DitGradient& gradient, bool last_microbatch) const {
  walk.acquire(head_unit(), Pass::backward);
  head_backward(context(walk, view, Keep::all), unit(head_unit()), groups_.head, saved.head, dprediction,
                gradient.g, gradient.de);
  walk.release(head_unit(), Pass::backward);
  walk.grad_ready(head_unit(), last_microbatch);
}

void Dit::backward_blocks(const Walk& walk, const PackView& view, std::int64_t first, std::int64_t last,
                          DitSaved& saved, const DitGradient& gradient, bool last_microbatch) const {
  const Conditioning conditioning = {saved.time.e0, saved.text.context};
  for (std::int64_t layer = last - 1; layer >= first; --layer) {
    const Arena::Scope scope(walk.arena());
    const auto at = static_cast<std::size_t>(layer);
    const int index = block_unit(layer);
    const Recompute policy = saved.recompute.of(layer);
    const bool again = kept_by_forward(policy) == Keep::nothing;
    const DitContext keeping = context(walk, view, again ? Keep::all : kept_by_forward(policy));
    if (again) {
      BlockSaved block;
      if (policy == Recompute::keep_attention) {
        block.self_attention.o = saved.blocks[at].self_attention.o;
        block.self_attention.lse = saved.blocks[at].self_attention.lse;
        block.self_attention.attention_kept = true;
      }
      walk.acquire(index, Pass::recompute);
      block_forward(keeping, unit(index), groups_.block, conditioning, {}, saved.x[at], block, {});
      walk.release(index, Pass::recompute);
      saved.blocks[at] = block;
    }
    walk.acquire(index, Pass::backward);
    block_backward(keeping, unit(index), groups_.block, conditioning, saved.blocks[at], gradient.g,
                   gradient.conditioning);
    walk.release(index, Pass::backward);
    walk.grad_ready(index, last_microbatch);
  }
}

void Dit::backward_embed(const Walk& walk, const PackView& view, const DitSaved& saved,
                         const DitGradient& gradient, bool last_microbatch) const {
  const DitContext keeping = context(walk, view, Keep::all);
  const ParameterUnit& embed = unit(embed_unit);
  walk.acquire(embed_unit, Pass::backward);
  patch_embedding_backward(keeping, embed, groups_.embed, saved.patch, gradient.g);
  text_embedding_backward(keeping, embed, groups_.embed, saved.text, gradient.conditioning.context);
  time_embedding_backward(keeping, embed, groups_.embed, saved.time, gradient.de, gradient.conditioning.e0);
  walk.release(embed_unit, Pass::backward);
  walk.grad_ready(embed_unit, last_microbatch);
}

}  // namespace wan
