// bandwidth_table [MB]
// The ops that move memory and do little else, on matrices of MB (400) megabytes with rows of the models'
// widths, on the device of this build (WAN_DEVICE): the bytes that each must move, how fast it does, and its
// share of what a copy reaches in the same run.
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/error.hpp"
#include "device/open_device.hpp"
#include "device/ops.hpp"
#include "support/tensors.hpp"

namespace {

using namespace wan;
using test::Owned;

constexpr std::int64_t head_dim = 128;
constexpr DType storage = DType::bf16;

/// Normals of a tensor's dtype, made on the device.
DeviceTensor normals(Device& device, DType dtype, const Shape& shape) {
  DeviceTensor out(device, dtype, shape);
  const DeviceTensor wide(device, DType::f32, shape);
  FillNormal fill;
  fill.keys = {random_key(1, static_cast<std::uint64_t>(shape.elements()), 0, Purpose::noise)};
  fill.offset = {0, shape.elements()};
  fill.out = wide.view.reshaped({shape.elements()});
  device.ops().fill_normal(fill);
  device.ops().cast({wide.view, out.view});
  device.synchronize();
  return out;
}

/// Times bodies and prints a line each.
class Table {
 public:
  explicit Table(Device& device) : device_(device) {
    constexpr std::int64_t bytes = std::int64_t{1} << 30;
    const DeviceBuffer from(device, bytes);
    const DeviceBuffer to(device, bytes);
    device.zero(from.data(), bytes);
    copy_rate_ =
        2 * static_cast<double>(bytes) / seconds([&] { device.copy(to.data(), from.data(), bytes); });
    std::printf("%s: a copy moves %.0f GB/s\n", device.description().c_str(), copy_rate_ * 1e-9);
    std::printf("%-30s %6s %9s %9s %8s %6s\n", "op", "dim", "MB", "us", "GB/s", "copy");
  }

  void line(const char* name, std::int64_t dim, double bytes, const std::function<void()>& body) {
    const double time = seconds(body);
    std::printf("%-30s %6lld %9.0f %9.1f %8.0f %5.0f%%\n", name, static_cast<long long>(dim), bytes * 1e-6,
                time * 1e6, bytes / time * 1e-9, 100 * bytes / time / copy_rate_);
  }

 private:
  static constexpr int runs = 20;

  /// Of one run: the median of five times `runs` runs in a row.
  double seconds(const std::function<void()>& body) {
    body();
    std::vector<double> times;
    for (int i = 0; i < 5; ++i) {
      device_.synchronize();
      const auto start = std::chrono::steady_clock::now();
      for (int run = 0; run < runs; ++run) body();
      device_.synchronize();
      times.push_back(std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count());
    }
    std::sort(times.begin(), times.end());
    return times[times.size() / 2] / runs;
  }

  Device& device_;
  double copy_rate_ = 1;
};

/// The ops on rows of `dim` channels, of which the tokens make one sample.
void rows_of(Device& device, Table& table, std::int64_t tokens, std::int64_t dim) {
  Ops& ops = device.ops();
  const DeviceTensor x = normals(device, storage, {tokens, dim}), y = normals(device, storage, {tokens, dim}),
                     g = normals(device, storage, {tokens, dim}),
                     modulation = normals(device, DType::f32, {1, 6 * dim}),
                     gradient = normals(device, DType::f32, {1, 6 * dim}),
                     weight = normals(device, storage, {dim}),
                     dweight = normals(device, DType::f32, {2, dim}),
                     per_token = normals(device, DType::f32, {2, tokens}),
                     angles = normals(device, DType::f32, {64, head_dim / 2});
  std::vector<std::int32_t> places;
  for (std::int64_t token = 0; token < tokens; ++token) {
    for (const std::int64_t place : {token / 1560 % 64, token / 52 % 30, token % 52})
      places.push_back(static_cast<std::int32_t>(place));
  }
  const Owned row_index = Owned::integers(device, {tokens}, std::vector<std::int32_t>(places.size() / 3));
  const Owned position = Owned::integers(device, {tokens, 3}, places);
  const Tensor mean = per_token.view.row_range(0, 1).reshaped({tokens});
  const Tensor rstd = per_token.view.row_range(1, 2).reshaped({tokens});
  const Tensor first = dweight.view.row_range(0, 1).reshaped({dim});
  const Tensor second = dweight.view.row_range(1, 2).reshaped({dim});
  const auto part = [&](const DeviceTensor& all, int i) {
    return all.view.col_range(i * dim, (i + 1) * dim);
  };
  const double matrix = static_cast<double>(x.view.bytes());

  LayerNormForward norm;
  norm.x = x.view;
  norm.y = y.view;
  norm.scale = part(modulation, 1);
  norm.shift = part(modulation, 0);
  norm.row_index = row_index;
  norm.mean = mean;
  norm.rstd = rstd;
  table.line("layer_norm_forward", dim, 2 * matrix, [&] { ops.layer_norm_forward(norm); });
  LayerNormBackward back;
  back.dy = y.view;
  back.x = x.view;
  back.mean = mean;
  back.rstd = rstd;
  back.scale = norm.scale;
  back.row_index = row_index;
  back.dx = g.view;
  back.dshift = part(gradient, 0);
  back.dscale = part(gradient, 1);
  table.line("layer_norm_backward", dim, 4 * matrix, [&] { ops.layer_norm_backward(back); });
  LayerNormBackward affine = back;
  affine.scale = affine.row_index = affine.dshift = affine.dscale = {};
  affine.weight = weight.view;
  affine.dweight = first;
  affine.dbias = second;
  table.line("layer_norm_backward affine", dim, 4 * matrix, [&] { ops.layer_norm_backward(affine); });

  const RopeTable rope{angles.view, angles.view, position};
  const RmsNormRopeForward head{x.view, weight.view, 1e-6F, dim, head_dim, rope, {}, y.view, rstd};
  const RmsNormRopeBackward head_back{y.view,   x.view, weight.view, rstd,   dim,
                                      head_dim, rope,   {},          g.view, first};
  const DeviceTensor x2 = normals(device, storage, {tokens, dim}),
                     y2 = normals(device, storage, {tokens, dim});
  RmsNormRopePairForward pair{head, head};
  pair.second.x = x2.view;
  pair.second.y = y2.view;
  table.line("rms_norm_rope_pair_forward", dim, 4 * matrix, [&] { ops.rms_norm_rope_pair_forward(pair); });
  RmsNormRopePairBackward pair_back{head_back, head_back};
  pair_back.second.dy = y2.view;
  pair_back.second.x = x2.view;
  pair_back.second.dx = y2.view;
  pair_back.second.dweight = second;
  table.line("rms_norm_rope_pair_backward", dim, 6 * matrix,
             [&] { ops.rms_norm_rope_pair_backward(pair_back); });
  RmsNormRopeForward plain = head;
  plain.rope = {};
  table.line("rms_norm_forward", dim, 2 * matrix, [&] { ops.rms_norm_rope_forward(plain); });
  RmsNormRopeBackward plain_back = head_back;
  plain_back.rope = {};
  table.line("rms_norm_backward", dim, 3 * matrix, [&] { ops.rms_norm_rope_backward(plain_back); });

  const Tensor gate = part(modulation, 2);
  table.line("gated_residual_forward", dim, 3 * matrix, [&] {
    ops.gated_residual_forward({x.view, y.view, gate, row_index, g.view});
  });
  table.line("gated_residual_backward", dim, 3 * matrix, [&] {
    ops.gated_residual_backward({x.view, y.view, gate, row_index, g.view, part(gradient, 2)});
  });
  ResidualNormForward joined;
  joined.residual = {x.view, y.view, gate, row_index, g.view};
  joined.norm = norm;
  joined.norm.x = g.view;
  joined.norm.y = y2.view;
  table.line("residual_norm_forward", dim, 4 * matrix, [&] { ops.residual_norm_forward(joined); });
  ResidualNormBackward joined_back;
  joined_back.norm = back;
  joined_back.residual = {g.view, x2.view, gate, row_index, y.view, part(gradient, 2)};
  table.line("residual_norm_backward", dim, 6 * matrix, [&] { ops.residual_norm_backward(joined_back); });
  table.line("activation_forward gelu", dim, 2 * matrix, [&] {
    ops.activation_forward({Activation::gelu_tanh, x.view, y.view});
  });
  table.line("activation_backward gelu", dim, 3 * matrix, [&] {
    ops.activation_backward({Activation::gelu_tanh, y.view, x.view, g.view});
  });
  table.line("sum_rows", dim, matrix, [&] { ops.sum_rows({x.view, first}); });
}

/// The ops on flat ranges.
void elements(Device& device, Table& table, std::int64_t count) {
  Ops& ops = device.ops();
  const DeviceTensor gradient = normals(device, DType::f32, {count}),
                     m = normals(device, DType::f32, {count}), v = normals(device, DType::f32, {count}),
                     master = normals(device, DType::f32, {count}),
                     parameter = normals(device, storage, {count}), small = normals(device, DType::f32, {4}),
                     sum(device, DType::f64, {1});
  device.zero(v.view.data, v.view.bytes());
  device.zero(sum.view.data, 8);
  const auto n = static_cast<double>(count);
  const auto number = [&](int i) { return Tensor(small.view.as<float>() + i, DType::f32, {1}); };

  AdamW adamw;
  adamw.gradient = gradient.view;
  adamw.gradient_scale = number(0);
  adamw.exp_avg = m.view;
  adamw.exp_avg_sq = v.view;
  adamw.master = master.view;
  adamw.parameter = parameter.view;
  adamw.decayed = {{0, count / 2}};
  adamw.lr = 1e-6F;
  table.line("adamw", count, 30 * n, [&] { ops.adamw(adamw); });
  table.line("sum_squares", count, 4 * n, [&] { ops.sum_squares({gradient.view, sum.view}); });
  FlowLoss loss;
  loss.prediction = parameter.view;
  loss.target = gradient.view;
  loss.weight = {1};
  loss.offset = {0, count};
  loss.loss = number(1);
  loss.raw = number(2);
  table.line("flow_loss", count, 6 * n, [&] { ops.flow_loss(loss); });
  table.line("cast to bf16", count, 6 * n, [&] { ops.cast({gradient.view, parameter.view}); });
  table.line("cast to fp32", count, 6 * n, [&] { ops.cast({parameter.view, master.view}); });
}

}  // namespace

int main(int count, char** words) {
  try {
    if (count > 2) throw UsageError("usage: bandwidth_table [MB]");
    const std::int64_t bytes = (count == 2 ? std::stoll(words[1]) : 400) * 1000000;
    const std::unique_ptr<Device> device = open_device({});
    Table table(*device);
    for (const std::int64_t dim : {1536, 5120})
      rows_of(*device, table, bytes / (dim * bytes_of(storage)) / 128 * 128, dim);
    elements(*device, table, bytes / bytes_of(storage));
    return 0;
  } catch (const Error& error) {
    std::fprintf(stderr, "bandwidth_table: %s\n", error.what());
    return static_cast<int>(error.code());
  }
}
