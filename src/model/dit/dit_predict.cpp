#include "model/dit/dit.hpp"

#include <utility>

// The walks that keep nothing.

namespace wan {

void Dit::predict(const Walk& walk, const PackView& view, const Tensor& latents, const Tensor& text,
                  const Tensor& prediction) const {
  predict(walk, view, latents, text, nullptr, prediction);
}

void Dit::predict(const Walk& walk, const PackView& view, const Tensor& latents, const TextCache& cache,
                  const Tensor& prediction) const {
  predict(walk, view, latents, {}, &cache, prediction);
}

void Dit::predict(const Walk& walk, const PackView& view, const Tensor& latents, const Tensor& text,
                  const TextCache* cache, const Tensor& prediction) const {
  const Arena::Scope scope(walk.arena());
  const DitContext passing = context(walk, view, Keep::nothing);
  Tensor x = passing.tokens(config_.dim());
  Tensor next = passing.tokens(config_.dim());
  DitSaved saved;
  walk.acquire(embed_unit, Pass::forward);
  embed_time_and_patches(passing, latents, saved, x);
  if (cache == nullptr) text_embedding_forward(passing, unit(embed_unit), groups_.embed, text, saved.text);
  walk.release(embed_unit, Pass::forward);

  const Conditioning conditioning = {saved.time.e0, saved.text.context};
  for (std::int64_t layer = 0; layer < config_.num_layers; ++layer) {
    const Arena::Scope block_scope(walk.arena());
    const int index = block_unit(layer);
    BlockSaved temporary;
    walk.acquire(index, Pass::forward);
    block_forward(passing, unit(index), groups_.block, conditioning,
                  cache == nullptr ? Tensor{} : cache->kv(layer, passing.text_rows()), x, temporary, next);
    walk.release(index, Pass::forward);
    std::swap(x, next);
  }

  walk.acquire(head_unit(), Pass::forward);
  head_forward(passing, unit(head_unit()), groups_.head, saved.time.e, x, saved.head, prediction);
  walk.release(head_unit(), Pass::forward);
}

void Dit::fill_text_cache(const Walk& walk, const PackView& view, const Tensor& text,
                          const TextCache& cache) const {
  const Arena::Scope scope(walk.arena());
  const DitContext passing = context(walk, view, Keep::nothing);
  TextEmbeddingSaved embedded;
  walk.acquire(embed_unit, Pass::forward);
  text_embedding_forward(passing, unit(embed_unit), groups_.embed, text, embedded);
  walk.release(embed_unit, Pass::forward);
  for (std::int64_t layer = 0; layer < config_.num_layers; ++layer) {
    const int index = block_unit(layer);
    walk.acquire(index, Pass::forward);
    text_keys_into(passing, unit(index), groups_.block, embedded.context,
                   cache.kv(layer, passing.text_rows()));
    walk.release(index, Pass::forward);
  }
}

}  // namespace wan
