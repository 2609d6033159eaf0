#pragma once
#include <vector>

#include "model/dit/config.hpp"
#include "model/linear.hpp"
#include "model/parameters.hpp"

namespace wan {

/// Unit 0: patch, time and text embeddings.
struct EmbedGroups {
  LinearGroups patch;      ///< [C, 4 Cin]
  LinearGroups time_1;     ///< [C, freq_dim] fp32
  LinearGroups time_2;     ///< [C, C] fp32
  LinearGroups time_proj;  ///< [6 C, C] fp32
  LinearGroups text_1;     ///< [C, text_dim]
  LinearGroups text_2;     ///< [C, C]
};

/// Units 1 .. L: one block each, all declared alike.
struct BlockGroups {
  int table = 0;           ///< [1, 6 C] fp32: shift, scale, gate of self-attention, then of the feed-forward
  LinearGroups qkv;        ///< [3 C, C]: attn1.to_q, to_k, to_v
  int norm_q = 0;          ///< [C] fp32
  int norm_k = 0;          ///< [C] fp32
  LinearGroups out;        ///< [C, C]: attn1.to_out.0
  int norm2 = 0;           ///< [C] fp32
  int norm2_bias = 0;      ///< [C] fp32
  LinearGroups cross_q;    ///< [C, C]: attn2.to_q
  LinearGroups cross_kv;   ///< [2 C, C]: attn2.to_k, to_v
  int cross_norm_q = 0;    ///< [C] fp32
  int cross_norm_k = 0;    ///< [C] fp32
  LinearGroups cross_out;  ///< [C, C]: attn2.to_out.0
  LinearGroups ffn_in;     ///< [F, C]: ffn.net.0.proj
  LinearGroups ffn_out;    ///< [C, F]: ffn.net.2
};

/// Unit L + 1.
struct HeadGroups {
  int table = 0;     ///< [1, 2 C] fp32: shift, scale
  LinearGroups out;  ///< [4 Cout, C]
};

struct DitGroups {
  EmbedGroups embed;
  BlockGroups block;
  HeadGroups head;
};

/// Declares all parameters of the model under diffusers' names, with Wan's initialisation (Wan2.1 model.py
/// init_weights). The time embedding, the modulation tables and the norm weights stay fp32 in bf16 storage:
/// diffusers' _keep_in_fp32_modules, and time_proj and the query and key norms besides, which are small and
/// gain precision.
[[nodiscard]] Parameters declare_dit(const DitConfig& config, DType storage, TensorShard shard,
                                     DitGroups& groups);

}  // namespace wan
