#include "model/dit/weights.hpp"

#include <cmath>
#include <string>
#include <utility>

namespace wan {
namespace {

/// Declares one unit's parameters; every one of them is summed over dp and cp, and over tp unless tp splits
/// it.
class Declaration {
 public:
  Declaration(const std::string& unit, std::string prefix, DType storage, TensorShard shard)
      : unit_(unit, storage, shard), prefix_(std::move(prefix)) {}

  /// The modules declared next are replicated on every pipeline stage.
  void replicate_over_stages(bool yes) { over_stages_ = yes; }
  void keep_fp32(bool yes) { keep_fp32_ = yes; }

  [[nodiscard]] ParameterSpec spec(const std::string& name, const Shape& shape, Initialiser initialiser,
                                   int tp_axis = -1) const {
    MeshAxes partial = MeshAxes{}.with(MeshAxis::dp).with(MeshAxis::cp);
    if (tp_axis < 0) partial = partial.with(MeshAxis::tp);
    if (over_stages_) partial = partial.with(MeshAxis::pp);
    return {prefix_ + name, shape, initialiser, tp_axis, partial, keep_fp32_, true};
  }

  int parameter(const std::string& name, const Shape& shape, Initialiser initialiser, int tp_axis = -1) {
    return unit_.add({spec(name, shape, initialiser, tp_axis)});
  }

  /// Linear layers of one input side by side: their weights are one matrix, their biases one vector.
  LinearGroups linears(const std::vector<std::string>& names, std::int64_t outputs, std::int64_t inputs,
                       Initialiser initialiser, int tp_axis = -1) {
    std::vector<ParameterSpec> weights;
    std::vector<ParameterSpec> biases;
    for (const std::string& name : names) {
      weights.push_back(spec(name + ".weight", {outputs, inputs}, initialiser, tp_axis));
      biases.push_back(spec(name + ".bias", {outputs}, constant_initialiser(0), tp_axis == 0 ? 0 : -1));
    }
    const int weight = unit_.add(std::move(weights));
    return {weight, unit_.add(std::move(biases))};
  }

  LinearGroups linear(const std::string& name, std::int64_t outputs, std::int64_t inputs, int tp_axis = -1) {
    return linears({name}, outputs, inputs, xavier_initialiser(inputs, outputs), tp_axis);
  }

  [[nodiscard]] ParameterUnit take() { return std::move(unit_); }

 private:
  ParameterUnit unit_;
  std::string prefix_;
  bool over_stages_ = false;
  bool keep_fp32_ = false;
};

ParameterUnit declare_embed(const DitConfig& config, DType storage, TensorShard shard, EmbedGroups& groups) {
  const std::int64_t dim = config.dim();
  const std::int64_t patch = 4 * config.in_channels;
  Declaration unit("embed", "", storage, shard);
  groups.patch.weight = unit.parameter("patch_embedding.weight", {dim, config.in_channels, 1, 2, 2},
                                       xavier_initialiser(patch, dim));
  groups.patch.bias = unit.parameter("patch_embedding.bias", {dim},
                                     uniform_initialiser(1 / std::sqrt(static_cast<double>(patch))));
  unit.replicate_over_stages(true);
  const std::string embedder = "condition_embedder.";
  const Initialiser normal = normal_initialiser(0.02);
  unit.keep_fp32(true);
  groups.time_1 = unit.linears({embedder + "time_embedder.linear_1"}, dim, config.freq_dim, normal);
  groups.time_2 = unit.linears({embedder + "time_embedder.linear_2"}, dim, dim, normal);
  groups.time_proj = unit.linear(embedder + "time_proj", 6 * dim, dim);
  unit.keep_fp32(false);
  groups.text_1 = unit.linears({embedder + "text_embedder.linear_1"}, dim, config.text_dim, normal);
  groups.text_2 = unit.linears({embedder + "text_embedder.linear_2"}, dim, dim, normal);
  return unit.take();
}

ParameterUnit declare_block(const DitConfig& config, std::int64_t layer, DType storage, TensorShard shard,
                            BlockGroups& groups) {
  const std::int64_t dim = config.dim();
  const std::string name = "blocks." + std::to_string(layer);
  const Initialiser one = constant_initialiser(1);
  const Initialiser xavier = xavier_initialiser(dim, dim);
  const auto norm = [&](Declaration& unit, const std::string& of, const Initialiser& start, int tp_axis) {
    unit.keep_fp32(true);
    const int group = unit.parameter(of, {dim}, start, tp_axis);
    unit.keep_fp32(false);
    return group;
  };
  Declaration unit(name, name + ".", storage, shard);
  unit.keep_fp32(true);
  groups.table = unit.parameter("scale_shift_table", {1, 6, dim},
                                normal_initialiser(1 / std::sqrt(static_cast<double>(dim))));
  unit.keep_fp32(false);
  groups.qkv = unit.linears({"attn1.to_q", "attn1.to_k", "attn1.to_v"}, dim, dim, xavier, 0);
  groups.norm_q = norm(unit, "attn1.norm_q.weight", one, 0);
  groups.norm_k = norm(unit, "attn1.norm_k.weight", one, 0);
  groups.out = unit.linear("attn1.to_out.0", dim, dim, 1);
  groups.norm2 = norm(unit, "norm2.weight", one, -1);
  groups.norm2_bias = norm(unit, "norm2.bias", constant_initialiser(0), -1);
  groups.cross_q = unit.linear("attn2.to_q", dim, dim, 0);
  groups.cross_kv = unit.linears({"attn2.to_k", "attn2.to_v"}, dim, dim, xavier, 0);
  groups.cross_norm_q = norm(unit, "attn2.norm_q.weight", one, 0);
  groups.cross_norm_k = norm(unit, "attn2.norm_k.weight", one, 0);
  groups.cross_out = unit.linear("attn2.to_out.0", dim, dim, 1);
  groups.ffn_in = unit.linear("ffn.net.0.proj", config.ffn_dim, dim, 0);
  groups.ffn_out = unit.linear("ffn.net.2", dim, config.ffn_dim, 1);
  return unit.take();
}

ParameterUnit declare_head(const DitConfig& config, DType storage, TensorShard shard, HeadGroups& groups) {
  const std::int64_t dim = config.dim();
  Declaration unit("head", "", storage, shard);
  unit.keep_fp32(true);
  groups.table = unit.parameter("scale_shift_table", {1, 2, dim},
                                normal_initialiser(1 / std::sqrt(static_cast<double>(dim))));
  unit.keep_fp32(false);
  groups.out = unit.linears({"proj_out"}, 4 * config.out_channels, dim, constant_initialiser(0));
  return unit.take();
}

}  // namespace

Parameters declare_dit(const DitConfig& config, DType storage, TensorShard shard, DitGroups& groups) {
  std::vector<ParameterUnit> units;
  units.push_back(declare_embed(config, storage, shard, groups.embed));
  for (std::int64_t layer = 0; layer < config.num_layers; ++layer) {
    units.push_back(declare_block(config, layer, storage, shard, groups.block));
  }
  units.push_back(declare_head(config, storage, shard, groups.head));
  return Parameters(std::move(units), shard);
}

}  // namespace wan
