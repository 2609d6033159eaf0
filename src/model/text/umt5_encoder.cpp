#include "model/text/umt5_encoder.hpp"

#include "base/error.hpp"
#include "base/text.hpp"
#include "device/ops.hpp"
#include "device/ops/plan/plan_ops.hpp"
#include "device/ops/plan/plan_text_ops.hpp"
#include "device/text_ops.hpp"
#include "tensor/arena.hpp"

namespace wan {
namespace {

/// Groups of a layer's unit, in the order in which they are added.
enum LayerGroup : int {
  attention_norm,
  query_key_value,
  attention_out,
  feed_forward_norm,
  gate_value,
  down,
  distance_bias
};

ParameterSpec weight(const std::string& name, const Shape& shape) {
  ParameterSpec out;
  out.name = name;
  out.shape = shape;
  out.trainable = false;
  return out;
}

ParameterUnit layer_unit(const Umt5Config& config, std::int64_t number, DType storage) {
  const std::string name = cat("encoder.block.", number);
  const std::string attention = name + ".layer.0.";
  const std::string feed_forward = name + ".layer.1.";
  const std::int64_t width = config.d_model;
  const std::int64_t inner = config.inner_dim();
  ParameterUnit unit(name, storage, {});
  unit.add({weight(attention + "layer_norm.weight", {width})});
  unit.add({weight(attention + "SelfAttention.q.weight", {inner, width}),
            weight(attention + "SelfAttention.k.weight", {inner, width}),
            weight(attention + "SelfAttention.v.weight", {inner, width})});
  unit.add({weight(attention + "SelfAttention.o.weight", {width, inner})});
  unit.add({weight(feed_forward + "layer_norm.weight", {width})});
  unit.add({weight(feed_forward + "DenseReluDense.wi_0.weight", {config.d_ff, width}),
            weight(feed_forward + "DenseReluDense.wi_1.weight", {config.d_ff, width})});
  unit.add({weight(feed_forward + "DenseReluDense.wo.weight", {width, config.d_ff})});
  unit.add({weight(attention + "SelfAttention.relative_attention_bias.weight",
                   {config.relative_attention_num_buckets, config.num_heads})});
  return unit;
}

/// The embedding, the layers, the last norm.
std::vector<ParameterUnit> units(const Umt5Config& config, DType storage) {
  std::vector<ParameterUnit> out;
  out.emplace_back("shared", storage, TensorShard{})
      .add({weight("shared.weight", {config.vocab_size, config.d_model})});
  for (std::int64_t layer = 0; layer < config.num_layers; ++layer)
    out.push_back(layer_unit(config, layer, storage));
  out.emplace_back("encoder.final_layer_norm", storage, TensorShard{})
      .add({weight("encoder.final_layer_norm.weight", {config.d_model})});
  return out;
}

/// What a pass through the layers is handed. The same pass with plan ops and a measuring arena tells its
/// memory.
struct Pass {
  const Umt5Config& config;
  Ops& ops;
  TextOps& text;
  Arena& arena;
  const AttentionSegments& segments;

  [[nodiscard]] Tensor like(const Tensor& x, std::int64_t columns) const {
    return arena.allocate(x.dtype, {x.rows(), columns});
  }

  [[nodiscard]] Tensor normed(const Tensor& x, const Tensor& weight) const {
    RmsNormRopeForward norm;
    norm.x = x;
    norm.weight = weight;
    norm.eps = static_cast<float>(config.layer_norm_epsilon);
    norm.width = config.d_model;
    norm.y = like(x, config.d_model);
    ops.rms_norm_rope_forward(norm);
    return norm.y;
  }

  [[nodiscard]] Tensor projected(const Tensor& x, const Tensor& weight) const {
    LinearForward linear;
    linear.x = x;
    linear.w = weight;
    linear.y = like(x, weight.rows());
    ops.linear_forward(linear);
    return linear.y;
  }

  void add(const Tensor& x, const Tensor& branch) const {
    GatedResidualForward residual;
    residual.x = residual.out = x;
    residual.y = branch;
    ops.gated_residual_forward(residual);
  }
};

void attend(const Pass& pass, const ParameterUnit& layer, const Tensor& x) {
  const Arena::Scope scope(pass.arena);
  const std::int64_t inner = pass.config.inner_dim();
  const Tensor input = pass.normed(x, layer.group_weight(attention_norm));
  const Tensor qkv = pass.projected(input, layer.group_weight(query_key_value));
  BiasedAttention attention;
  attention.q = qkv.col_range(0, inner);
  attention.k = qkv.col_range(inner, 2 * inner);
  attention.v = qkv.col_range(2 * inner, 3 * inner);
  attention.segments = &pass.segments;
  attention.head_dim = pass.config.d_kv;
  attention.buckets = {pass.config.relative_attention_num_buckets,
                       pass.config.relative_attention_max_distance};
  attention.bias = layer.group_weight(distance_bias);
  attention.o = pass.like(x, inner);
  pass.text.biased_attention(attention);
  pass.add(x, pass.projected(attention.o, layer.group_weight(attention_out)));
}

void feed_forward(const Pass& pass, const ParameterUnit& layer, const Tensor& x) {
  const Arena::Scope scope(pass.arena);
  const std::int64_t hidden = pass.config.d_ff;
  const Tensor input = pass.normed(x, layer.group_weight(feed_forward_norm));
  const Tensor both = pass.projected(input, layer.group_weight(gate_value));
  const Tensor gated = pass.like(x, hidden);
  pass.text.gated_gelu({both.col_range(0, hidden), both.col_range(hidden, 2 * hidden), gated});
  pass.add(x, pass.projected(gated, layer.group_weight(down)));
}

Tensor forward(const Pass& pass, const std::vector<ParameterUnit>& units, const Tensor& id) {
  const Tensor table = units.front().group_weight(0);
  const Tensor x = pass.arena.allocate(table.dtype, {id.elements(), pass.config.d_model});
  pass.text.gather_rows({table, id, x});
  for (std::size_t layer = 1; layer + 1 < units.size(); ++layer) {
    attend(pass, units[layer], x);
    feed_forward(pass, units[layer], x);
  }
  return pass.normed(x, units.back().group_weight(0));
}

AttentionSegments segments_of(const std::vector<std::int64_t>& lengths) {
  AttentionSegments out;
  out.query.push_back(0);
  for (const std::int64_t length : lengths) out.query.push_back(out.query.back() + length);
  out.key = out.query;
  return out;
}

std::int64_t activation_bytes(const Umt5Config& config, const std::vector<ParameterUnit>& units,
                              const std::vector<std::int64_t>& lengths) {
  PlanOps ops;
  PlanTextOps text;
  Arena arena;
  const AttentionSegments segments = segments_of(lengths);
  const Tensor id = arena.allocate(DType::i32, {segments.query.back()});
  (void)forward({config, ops, text, arena, segments}, units, id);
  return arena.peak();
}

}  // namespace

Umt5Memory plan_umt5(const Umt5Config& config, DType storage, const std::vector<std::int64_t>& lengths) {
  const std::vector<ParameterUnit> planned = units(config, storage);
  Umt5Memory out;
  for (const ParameterUnit& unit : planned) out.weights += unit.weight_bytes();
  out.activations = activation_bytes(config, planned, lengths);
  return out;
}

Umt5Encoder::Umt5Encoder(Device& device, const Umt5Config& config, const Parameters::Source& source,
                         DType storage)
    : device_(&device), config_(config), storage_(storage), parameters_(units(config, storage)) {
  parameters_.place(device, false);
  parameters_.load(device, source);
}

std::int64_t Umt5Encoder::activation_bytes(const std::vector<std::int64_t>& lengths) const {
  return wan::activation_bytes(config_, parameters_.units(), lengths);
}

Tensor Umt5Encoder::encode(const std::vector<std::vector<std::int32_t>>& prompts) {
  std::vector<std::int32_t> ids;
  std::vector<std::int64_t> lengths;
  for (const std::vector<std::int32_t>& prompt : prompts) {
    for (const std::int32_t id : prompt) {
      if (id < 0 || id >= config_.vocab_size) {
        throw Error(ExitCode::data,
                    cat("a prompt holds token ", id, ", allowed: 0 to ", config_.vocab_size - 1,
                        "; do tokenizer and text encoder belong together?"));
      }
    }
    ids.insert(ids.end(), prompt.begin(), prompt.end());
    lengths.push_back(static_cast<std::int64_t>(prompt.size()));
  }
  if (ids.empty()) return Tensor(nullptr, storage_, {0, config_.d_model});
  const std::int64_t bytes = activation_bytes(lengths);
  if (bytes > activations_.bytes()) {
    activations_ = DeviceBuffer();
    activations_ = DeviceBuffer(*device_, bytes);
  }
  Arena arena(activations_.data(), activations_.bytes());
  const AttentionSegments segments = segments_of(lengths);
  const Tensor id = arena.allocate(DType::i32, {static_cast<std::int64_t>(ids.size())});
  device_->copy(id.data, ids.data(), id.bytes());
  device_->synchronize();
  return forward({config_, device_->ops(), device_->text_ops(), arena, segments}, parameters_.units(), id);
}

}  // namespace wan
