#include "model/dit/dit.hpp"

#include <utility>

// The walks that keep nothing.

namespace wan {

void Dit::predict(const Walk& walk, const PackView& view, const Tensor& latents, const Tensor& text,
                  const Tensor& prediction) const {
  predict(walk, view, latents, text, Ready(), prediction);
}

void Dit::predict(const Walk& walk, const PackView& view, const Tensor& latents, const TextCache& cache,
                  const Tensor& prediction) const {
  predict(walk, view, latents, {}, {&cache}, prediction);
}

void Dit::predict(const Walk& walk, const PackView& view, const Tensor& latents, const TextCache& cache,
                  const TimeCache& times, std::int64_t step, const Tensor& prediction) const {
  predict(walk, view, latents, {}, {&cache, &times, step}, prediction);
}

void Dit::predict_start(const Walk& walk, const PackView& view, const Tensor& latents, const TimeCache& times,
                        std::int64_t step, const DitStart& start) const {
  const Arena::Scope scope(walk.arena());
  const DitContext passing = context(walk, view, Keep::nothing);
  const int first = block_unit(0);
  PatchEmbeddingSaved patch;
  walk.acquire(embed_unit, Pass::forward);
  patch_embedding_forward(passing, unit(embed_unit), groups_.embed, latents, patch, start.x);
  walk.release(embed_unit, Pass::forward);
  SelfAttentionSaved saved;
  saved.y = start.y;
  walk.acquire(first, Pass::forward);
  const Tensor modulation = block_modulation(passing, unit(first), groups_.block, times.e0(step));
  self_attention_forward(passing, unit(first), groups_.block, modulation, start.x, saved);
  walk.release(first, Pass::forward);
}

void Dit::predict_rest(const Walk& walk, const PackView& view, const DitStart& start, const TextCache& cache,
                       const TimeCache& times, std::int64_t step, const Tensor& prediction) const {
  predict(walk, view, {}, {}, {&cache, &times, step, &start}, prediction);
}

void Dit::predict(const Walk& walk, const PackView& view, const Tensor& latents, const Tensor& text,
                  const Ready& ready, const Tensor& prediction) const {
  const Arena::Scope scope(walk.arena());
  const DitContext passing = context(walk, view, Keep::nothing);
  Tensor x = passing.tokens(config_.dim());
  Tensor next = passing.tokens(config_.dim());
  DitSaved saved;
  walk.acquire(embed_unit, Pass::forward);
  if (ready.times != nullptr) {
    saved.time.e = ready.times->e(ready.step);
    saved.time.e0 = ready.times->e0(ready.step);
  } else {
    embed_time(walk, view.timestep, saved.time);
  }
  if (ready.start == nullptr)
    patch_embedding_forward(passing, unit(embed_unit), groups_.embed, latents, saved.patch, x);
  if (ready.text == nullptr)
    text_embedding_forward(passing, unit(embed_unit), groups_.embed, text, saved.text);
  walk.release(embed_unit, Pass::forward);

  const Conditioning conditioning = {saved.time.e0, saved.text.context};
  for (std::int64_t layer = 0; layer < config_.num_layers; ++layer) {
    const Arena::Scope block_scope(walk.arena());
    const int index = block_unit(layer);
    BlockSaved temporary;
    const bool started = layer == 0 && ready.start != nullptr;
    if (started) temporary.self_attention.y = ready.start->y;
    walk.acquire(index, Pass::forward);
    block_forward(passing, unit(index), groups_.block, conditioning,
                  ready.text == nullptr ? Tensor{} : ready.text->kv(layer, passing.text_rows()),
                  started ? ready.start->x : x, temporary, next);
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

void Dit::fill_time_cache(const Walk& walk, const Tensor& timesteps, const TimeCache& cache) const {
  const Arena::Scope scope(walk.arena());
  TimeEmbeddingSaved saved;
  saved.e = cache.e();
  saved.e0 = cache.e0();
  walk.acquire(embed_unit, Pass::forward);
  embed_time(walk, timesteps, saved);
  walk.release(embed_unit, Pass::forward);
}

}  // namespace wan
