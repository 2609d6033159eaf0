#pragma once
#include <cstdint>
#include <vector>

#include "comm/communicator.hpp"
#include "model/dit/block.hpp"
#include "model/dit/head.hpp"
#include "model/dit/patch_embedding.hpp"
#include "model/dit/recompute.hpp"
#include "model/dit/text_cache.hpp"
#include "model/dit/text_embedding.hpp"
#include "model/dit/time_cache.hpp"
#include "model/dit/time_embedding.hpp"

namespace wan {

/// The ranks among which one pack is split: heads and FFN columns over tp, tokens over cp.
struct DitParallel {
  Communicator tp;
  Communicator cp;
};

/// What a forward keeps for its backward. The tensors live in the walk's arena; the object itself is reused.
struct DitSaved {
  RecomputePlan recompute;
  PatchEmbeddingSaved patch;
  TimeEmbeddingSaved time;
  TextEmbeddingSaved text;
  std::vector<Tensor> x;  ///< L + 1 of [N, C]: the input of each block, then of the head
  std::vector<BlockSaved> blocks;
  HeadSaved head;
};

/// What a predict makes of the latents before any text reaches it: the same for all prompts at the same
/// latents and step.
struct DitStart {
  Tensor x;  ///< [N, C] the first block's input
  Tensor y;  ///< [N, C] its self-attention's result, before the gate
};

/// What flows from part to part of a backward.
struct DitGradient {
  Tensor g;   ///< [N, C] of the residual stream
  Tensor de;  ///< [R, C] fp32 of the time embedding, from the head
  ConditioningGradient conditioning;
};

/// The diffusion transformer of Wan 2.1 text to video: embeddings, blocks, head; forward and backward over a
/// pack of samples. Units: 0 the embeddings, 1 … L the blocks, L + 1 the head. The residual stream is in
/// storage dtype; modulation, time path, statistics and the prediction are fp32.
class Dit {
 public:
  /// Declares parameters; allocates nothing. `parallel` are the ranks that share a sample. Throws ConfigError
  /// unless both are of size 1, naming the key: their layers exist in parts only (attention_parts.hpp).
  Dit(const DitConfig& config, DType storage, const DitParallel& parallel = {});

  /// Allocates parameters and tables.
  void place(Device& device, bool with_gradients);

  [[nodiscard]] const DitConfig& config() const { return config_; }
  [[nodiscard]] DType storage() const { return storage_; }
  [[nodiscard]] const Parameters& parameters() const { return parameters_; }

  /// `latents` flat (fp32 or bf16), sample after sample, each [Cin, f, 2 rows, 2 columns]; `text` [text_rows,
  /// text_dim] (fp32 or bf16) as model/dit/pack.hpp says; `prediction` flat like latents with Cout channels,
  /// written. What the backward needs stays in the arena. Throws Error (data) for a grid beyond
  /// rope_max_seq_len.
  void forward(const Walk& walk, const PackView& view, const Tensor& latents, const Tensor& text,
               DitSaved& saved, const Tensor& prediction) const;

  /// Adds the gradients of the pack to the parameters' gradients; `dprediction` flat, fp32 or bf16. Units
  /// become ready from the head to the embeddings.
  void backward(const Walk& walk, const PackView& view, DitSaved& saved, const Tensor& dprediction,
                bool last_microbatch = true) const;

  /// The parts of forward and backward, in this order and the reverse; a pipeline stage runs those it holds.
  /// forward_embed writes x[0]; a stage that begins with block `first` receives x[first] and, like the first
  /// stage, embeds time and text. forward_blocks allocates and writes x[first + 1] … x[last].
  void forward_embed(const Walk& walk, const PackView& view, const Tensor& latents, const Tensor& text,
                     DitSaved& saved) const;
  void forward_blocks(const Walk& walk, const PackView& view, std::int64_t first, std::int64_t last,
                      DitSaved& saved) const;
  void forward_head(const Walk& walk, const PackView& view, DitSaved& saved, const Tensor& prediction) const;
  /// All zero, from the arena.
  [[nodiscard]] DitGradient begin_backward(const Walk& walk, const DitSaved& saved) const;
  void backward_head(const Walk& walk, const PackView& view, const DitSaved& saved, const Tensor& dprediction,
                     const DitGradient& gradient, bool last_microbatch) const;
  void backward_blocks(const Walk& walk, const PackView& view, std::int64_t first, std::int64_t last,
                       DitSaved& saved, const DitGradient& gradient, bool last_microbatch) const;
  void backward_embed(const Walk& walk, const PackView& view, const DitSaved& saved,
                      const DitGradient& gradient, bool last_microbatch) const;

  /// The forward's result, bit for bit, keeping nothing.
  void predict(const Walk& walk, const PackView& view, const Tensor& latents, const Tensor& text,
               const Tensor& prediction) const;

  /// Keys and values of the pack's prompts for predict; valid for every pack with the same text offsets.
  void fill_text_cache(const Walk& walk, const PackView& view, const Tensor& text,
                       const TextCache& cache) const;
  void predict(const Walk& walk, const PackView& view, const Tensor& latents, const TextCache& cache,
               const Tensor& prediction) const;

  /// The time path of all steps of a denoising run; `timesteps` [S] fp32, a step's each.
  void fill_time_cache(const Walk& walk, const Tensor& timesteps, const TimeCache& cache) const;
  /// With all samples of the pack at `step`, whatever their own timesteps: view.row_index must be all 0.
  void predict(const Walk& walk, const PackView& view, const Tensor& latents, const TextCache& cache,
               const TimeCache& times, std::int64_t step, const Tensor& prediction) const;

  /// That predict in two parts, of which the first, which writes `start`, knows no text.
  void predict_start(const Walk& walk, const PackView& view, const Tensor& latents, const TimeCache& times,
                     std::int64_t step, const DitStart& start) const;
  void predict_rest(const Walk& walk, const PackView& view, const DitStart& start, const TextCache& cache,
                    const TimeCache& times, std::int64_t step, const Tensor& prediction) const;

  /// Arena bytes that one forward and backward, or one predict, takes for any pack within `capacity`. `plan`
  /// counts what it is made to count.
  [[nodiscard]] std::int64_t train_bytes(Ops& plan, const PackCapacity& capacity, std::int64_t row_multiple,
                                         const RecomputePlan& recompute) const;
  [[nodiscard]] std::int64_t predict_bytes(Ops& plan, const PackCapacity& capacity,
                                           std::int64_t row_multiple) const;
  /// Or fill_time_cache.
  [[nodiscard]] std::int64_t time_cache_bytes(Ops& plan, std::int64_t steps) const;

 private:
  [[nodiscard]] DitContext context(const Walk& walk, const PackView& view, Keep keep) const;
  static constexpr int embed_unit = 0;
  [[nodiscard]] static int block_unit(std::int64_t layer) { return static_cast<int>(layer) + 1; }
  [[nodiscard]] int head_unit() const { return static_cast<int>(config_.num_layers) + 1; }
  [[nodiscard]] const ParameterUnit& unit(int index) const {
    return parameters_.unit(static_cast<std::size_t>(index));
  }
  void embed_time_and_patches(const DitContext& context, const Tensor& latents, DitSaved& saved,
                              const Tensor& x) const;
  void embed_time(const Walk& walk, const Tensor& timestep, TimeEmbeddingSaved& saved) const;
  /// What a predict finds ready; the rest it computes.
  struct Ready {
    const TextCache* text = nullptr;
    const TimeCache* times = nullptr;
    std::int64_t step = 0;  ///< of `times`
    const DitStart* start = nullptr;
  };
  void predict(const Walk& walk, const PackView& view, const Tensor& latents, const Tensor& text,
               const Ready& ready, const Tensor& prediction) const;

  DitConfig config_;
  DType storage_;
  DitParallel parallel_;
  DitGroups groups_;
  Parameters parameters_;
  DeviceTensor cosine_;
  DeviceTensor sine_;
};

}  // namespace wan
