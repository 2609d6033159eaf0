#include "support/timed_device.hpp"

#include <time.h>

#include <algorithm>
#include <cstdio>
#include <vector>

#include "base/text.hpp"
#include "device/ops.hpp"

namespace wan::test {
namespace {

/// On the host this process' CPU time: what other programs take does not count. On a GPU what passes until
/// its work is done.
double seconds_now(Device& device) {
  timespec now{};
  device.synchronize();
  clock_gettime(device.kind() == DeviceKind::host ? CLOCK_PROCESS_CPUTIME_ID : CLOCK_MONOTONIC, &now);
  return static_cast<double>(now.tv_sec) + 1e-9 * static_cast<double>(now.tv_nsec);
}

template <class Body>
void timed(Device& device, std::map<std::string, OpTime>& times, const std::string& name, const Body& body) {
  const double start = seconds_now(device);
  body();
  OpTime& time = times[name];
  ++time.calls;
  time.seconds += seconds_now(device) - start;
}

std::string linear_shape(std::int64_t n, std::int64_t k, std::int64_t m, Activation activation) {
  const char* names[] = {"", " gelu", " silu"};
  return cat(" N ", n, " K ", k, " M ", m, names[static_cast<int>(activation)]);
}

}  // namespace

class TimedDevice::TimedOps final : public Ops {
 public:
  TimedOps(Device& device, std::map<std::string, OpTime>& times)
      : device_(device), ops_(device.ops()), times_(times) {}

  void linear_forward(const LinearForward& a) override {
    call("linear_forward" + linear_shape(a.x.rows(), a.x.cols(), a.w.rows(), a.activation),
         &Ops::linear_forward, a);
  }
  void linear_backward_data(const LinearBackwardData& a) override {
    call("linear_backward_data" + linear_shape(a.dy.rows(), a.w.cols(), a.w.rows(), a.activation),
         &Ops::linear_backward_data, a);
  }
  void linear_backward_weight(const LinearBackwardWeight& a) override {
    call("linear_backward_weight" + linear_shape(a.dy.rows(), a.x.cols(), a.dy.cols(), Activation::none),
         &Ops::linear_backward_weight, a);
  }
  void layer_norm_forward(const LayerNormForward& a) override {
    call(cat("layer_norm_forward ", a.x.shape.text()), &Ops::layer_norm_forward, a);
  }
  void layer_norm_backward(const LayerNormBackward& a) override {
    call(cat("layer_norm_backward ", a.x.shape.text(), a.scale ? " modulated" : " affine"),
         &Ops::layer_norm_backward, a);
  }
  void gated_residual_forward(const GatedResidualForward& a) override {
    call(cat("gated_residual_forward ", a.x.shape.text(), a.gate ? " gated" : ""),
         &Ops::gated_residual_forward, a);
  }
  void gated_residual_backward(const GatedResidualBackward& a) override {
    call(cat("gated_residual_backward ", a.g.shape.text()), &Ops::gated_residual_backward, a);
  }
  void rms_norm_rope_forward(const RmsNormRopeForward& a) override {
    call(cat("rms_norm_rope_forward ", a.x.shape.text(), a.rope ? " rope" : ""), &Ops::rms_norm_rope_forward,
         a);
  }
  void rms_norm_rope_backward(const RmsNormRopeBackward& a) override {
    call(cat("rms_norm_rope_backward ", a.x.shape.text(), a.rope ? " rope" : ""),
         &Ops::rms_norm_rope_backward, a);
  }
  void rms_norm_sum_squares(const RmsNormSumSquares& a) override {
    call("rms_norm_sum_squares", &Ops::rms_norm_sum_squares, a);
  }
  void rms_norm_rope_dot(const RmsNormRopeDot& a) override {
    call("rms_norm_rope_dot", &Ops::rms_norm_rope_dot, a);
  }
  void attention_forward(const AttentionForward& a) override {
    call(cat("attention_forward ", a.q.shape.text(), " x ", a.k.shape.text()), &Ops::attention_forward, a);
  }
  void attention_backward(const AttentionBackward& a) override {
    call(cat("attention_backward ", a.q.shape.text(), " x ", a.k.shape.text()), &Ops::attention_backward, a);
  }
  void patchify(const Patchify& a) override { call("patchify", &Ops::patchify, a); }
  void unpatchify(const Unpatchify& a) override { call("unpatchify", &Ops::unpatchify, a); }
  void cast(const Cast& a) override { call("cast", &Ops::cast, a); }
  void axpby(const Axpby& a) override { call("axpby", &Ops::axpby, a); }
  void activation_forward(const ActivationForward& a) override {
    call("activation_forward", &Ops::activation_forward, a);
  }
  void activation_backward(const ActivationBackward& a) override {
    call("activation_backward", &Ops::activation_backward, a);
  }
  void add_row_vector(const AddRowVector& a) override { call("add_row_vector", &Ops::add_row_vector, a); }
  void sum_rows(const SumRows& a) override { call("sum_rows", &Ops::sum_rows, a); }
  void timestep_embedding(const TimestepEmbedding& a) override {
    call("timestep_embedding", &Ops::timestep_embedding, a);
  }
  void fill_normal(const FillNormal& a) override { call("fill_normal", &Ops::fill_normal, a); }
  void flow_mix(const FlowMix& a) override { call("flow_mix", &Ops::flow_mix, a); }
  void flow_loss(const FlowLoss& a) override { call("flow_loss", &Ops::flow_loss, a); }
  void adamw(const AdamW& a) override { call("adamw", &Ops::adamw, a); }
  void sum_squares(const SumSquares& a) override { call("sum_squares", &Ops::sum_squares, a); }
  void clip_factor(const ClipFactor& a) override { call("clip_factor", &Ops::clip_factor, a); }

 private:
  template <class Arguments>
  void call(const std::string& name, void (Ops::*op)(const Arguments&), const Arguments& arguments) {
    timed(device_, times_, name, [&] { (ops_.*op)(arguments); });
  }

  Device& device_;
  Ops& ops_;
  std::map<std::string, OpTime>& times_;
};

TimedDevice::TimedDevice(Device& device)
    : device_(device), ops_(std::make_unique<TimedOps>(device, times_)) {}

TimedDevice::~TimedDevice() = default;

Ops& TimedDevice::ops() {
  return *ops_;
}

void TimedDevice::copy(void* to, const void* from, std::int64_t bytes, Stream stream) {
  timed(device_, times_, "copy", [&] { device_.copy(to, from, bytes, stream); });
}

void TimedDevice::zero(void* memory, std::int64_t bytes, Stream stream) {
  timed(device_, times_, "zero", [&] { device_.zero(memory, bytes, stream); });
}

void TimedDevice::print(std::int64_t steps) const {
  std::vector<std::pair<std::string, OpTime>> rows(times_.begin(), times_.end());
  std::sort(rows.begin(), rows.end(),
            [](const auto& a, const auto& b) { return a.second.seconds > b.second.seconds; });
  double total = 0;
  for (const auto& [name, time] : rows) {
    const auto count = static_cast<double>(steps);
    std::printf("%9.3f ms %6.1f calls  %s\n", time.seconds / count * 1e3,
                static_cast<double>(time.calls) / count, name.c_str());
    total += time.seconds / count * 1e3;
  }
  std::printf("%9.3f ms in all\n", total);
}

}  // namespace wan::test
