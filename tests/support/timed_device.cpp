#include "support/timed_device.hpp"

#include <time.h>

#include <algorithm>
#include <cstdio>
#include <vector>

#include "base/text.hpp"
#include "device/frame_ops.hpp"
#include "device/ops.hpp"
#include "device/text_ops.hpp"

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

bool starts_with(const std::string& text, const std::string& start) {
  return text.compare(0, start.size(), start) == 0;
}

std::string linear_shape(std::int64_t n, std::int64_t k, std::int64_t m, Activation activation) {
  const char* names[] = {"", " gelu", " silu"};
  return cat(" N ", n, " K ", k, " M ", m, names[static_cast<int>(activation)]);
}

}  // namespace

template <class Name, class Body>
void TimedDevice::call(const Name& name, const Body& body) {
  if (!measuring_) {
    body();
    return;
  }
  const double start = seconds_now(device_);
  body();
  OpTime& time = times_[name()];
  ++time.calls;
  time.seconds += seconds_now(device_) - start;
}

class TimedDevice::TimedOps final : public Ops {
 public:
  explicit TimedOps(TimedDevice& owner) : owner_(owner), ops_(owner.device_.ops()) {}

  void linear_forward(const LinearForward& a) override {
    call(
        [&] {
          return std::string("linear_forward" +
                             linear_shape(a.x.rows(), a.x.cols(), a.w.rows(), a.activation));
        },
        &Ops::linear_forward, a);
  }
  void linear_backward_data(const LinearBackwardData& a) override {
    call(
        [&] {
          return std::string("linear_backward_data" +
                             linear_shape(a.dy.rows(), a.w.cols(), a.w.rows(), a.activation));
        },
        &Ops::linear_backward_data, a);
  }
  void linear_backward_weight(const LinearBackwardWeight& a) override {
    call(
        [&] {
          return std::string("linear_backward_weight" +
                             linear_shape(a.dy.rows(), a.x.cols(), a.dy.cols(), Activation::none));
        },
        &Ops::linear_backward_weight, a);
  }
  void layer_norm_forward(const LayerNormForward& a) override {
    call([&] { return std::string(cat("layer_norm_forward ", a.x.shape.text())); }, &Ops::layer_norm_forward,
         a);
  }
  void layer_norm_backward(const LayerNormBackward& a) override {
    call(
        [&] {
          return std::string(
              cat("layer_norm_backward ", a.x.shape.text(), a.scale ? " modulated" : " affine"));
        },
        &Ops::layer_norm_backward, a);
  }
  void gated_residual_forward(const GatedResidualForward& a) override {
    call(
        [&] { return std::string(cat("gated_residual_forward ", a.x.shape.text(), a.gate ? " gated" : "")); },
        &Ops::gated_residual_forward, a);
  }
  void gated_residual_backward(const GatedResidualBackward& a) override {
    call([&] { return std::string(cat("gated_residual_backward ", a.g.shape.text())); },
         &Ops::gated_residual_backward, a);
  }
  void rms_norm_rope_forward(const RmsNormRopeForward& a) override {
    call([&] { return std::string(cat("rms_norm_rope_forward ", a.x.shape.text(), a.rope ? " rope" : "")); },
         &Ops::rms_norm_rope_forward, a);
  }
  void rms_norm_rope_backward(const RmsNormRopeBackward& a) override {
    call([&] { return std::string(cat("rms_norm_rope_backward ", a.x.shape.text(), a.rope ? " rope" : "")); },
         &Ops::rms_norm_rope_backward, a);
  }
  void residual_norm_forward(const ResidualNormForward& a) override {
    call([&] { return cat("residual_norm_forward ", a.norm.x.shape.text()); }, &Ops::residual_norm_forward,
         a);
  }
  void residual_norm_backward(const ResidualNormBackward& a) override {
    call([&] { return cat("residual_norm_backward ", a.norm.x.shape.text()); }, &Ops::residual_norm_backward,
         a);
  }
  void rms_norm_rope_pair_forward(const RmsNormRopePairForward& a) override {
    call([&] { return cat("rms_norm_rope_pair_forward ", a.first.x.shape.text()); },
         &Ops::rms_norm_rope_pair_forward, a);
  }
  void rms_norm_rope_pair_backward(const RmsNormRopePairBackward& a) override {
    call([&] { return cat("rms_norm_rope_pair_backward ", a.first.x.shape.text()); },
         &Ops::rms_norm_rope_pair_backward, a);
  }
  void rms_norm_sum_squares(const RmsNormSumSquares& a) override {
    call([&] { return std::string("rms_norm_sum_squares"); }, &Ops::rms_norm_sum_squares, a);
  }
  void rms_norm_rope_dot(const RmsNormRopeDot& a) override {
    call([&] { return std::string("rms_norm_rope_dot"); }, &Ops::rms_norm_rope_dot, a);
  }
  void attention_forward(const AttentionForward& a) override {
    call([&] { return std::string(cat("attention_forward ", a.q.shape.text(), " x ", a.k.shape.text())); },
         &Ops::attention_forward, a);
  }
  void attention_backward(const AttentionBackward& a) override {
    call([&] { return std::string(cat("attention_backward ", a.q.shape.text(), " x ", a.k.shape.text())); },
         &Ops::attention_backward, a);
  }
  void patchify(const Patchify& a) override {
    call([&] { return std::string("patchify"); }, &Ops::patchify, a);
  }
  void unpatchify(const Unpatchify& a) override {
    call([&] { return std::string("unpatchify"); }, &Ops::unpatchify, a);
  }
  void cast(const Cast& a) override {
    call([&] { return std::string("cast"); }, &Ops::cast, a);
  }
  void axpby(const Axpby& a) override {
    call([&] { return std::string("axpby"); }, &Ops::axpby, a);
  }
  void activation_forward(const ActivationForward& a) override {
    call([&] { return std::string("activation_forward"); }, &Ops::activation_forward, a);
  }
  void activation_backward(const ActivationBackward& a) override {
    call([&] { return std::string("activation_backward"); }, &Ops::activation_backward, a);
  }
  void add_row_vector(const AddRowVector& a) override {
    call([&] { return std::string("add_row_vector"); }, &Ops::add_row_vector, a);
  }
  void sum_rows(const SumRows& a) override {
    call([&] { return std::string("sum_rows"); }, &Ops::sum_rows, a);
  }
  void timestep_embedding(const TimestepEmbedding& a) override {
    call([&] { return std::string("timestep_embedding"); }, &Ops::timestep_embedding, a);
  }
  void fill_normal(const FillNormal& a) override {
    call([&] { return std::string("fill_normal"); }, &Ops::fill_normal, a);
  }
  void flow_mix(const FlowMix& a) override {
    call([&] { return std::string("flow_mix"); }, &Ops::flow_mix, a);
  }
  void flow_loss(const FlowLoss& a) override {
    call([&] { return std::string("flow_loss"); }, &Ops::flow_loss, a);
  }
  void adamw(const AdamW& a) override {
    call([&] { return std::string("adamw"); }, &Ops::adamw, a);
  }
  void sum_squares(const SumSquares& a) override {
    call([&] { return std::string("sum_squares"); }, &Ops::sum_squares, a);
  }
  void clip_factor(const ClipFactor& a) override {
    call([&] { return std::string("clip_factor"); }, &Ops::clip_factor, a);
  }

 private:
  template <class Name, class Arguments>
  void call(const Name& name, void (Ops::*op)(const Arguments&), const Arguments& arguments) {
    owner_.call(name, [&] { (ops_.*op)(arguments); });
  }

  TimedDevice& owner_;
  Ops& ops_;
};

class TimedDevice::TimedFrameOps final : public FrameOps {
 public:
  explicit TimedFrameOps(TimedDevice& owner) : owner_(owner), ops_(owner.device_.frame_ops()) {}

  std::unique_ptr<FrameConvWeight> prepare(const FrameConvGeometry& geometry, DType storage,
                                           const float* weight, const float* bias) override {
    return ops_.prepare(geometry, storage, weight, bias);
  }
  void conv(const FrameConv& a) override {
    owner_.call([&] { return cat("conv ", a.x.shape.text(), " to ", a.y.shape.text()); },
                [&] { ops_.conv(a); });
  }
  void norm(const FrameNorm& a) override {
    owner_.call([&] { return cat("frame_norm ", a.x.shape.text()); }, [&] { ops_.norm(a); });
  }
  void map(const FrameMap& a) override {
    owner_.call([] { return std::string("frame_map"); }, [&] { ops_.map(a); });
  }

 private:
  TimedDevice& owner_;
  FrameOps& ops_;
};

class TimedDevice::TimedTextOps final : public TextOps {
 public:
  explicit TimedTextOps(TimedDevice& owner) : owner_(owner), ops_(owner.device_.text_ops()) {}

  void gather_rows(const GatherRows& a) override {
    owner_.call([] { return std::string("gather_rows"); }, [&] { ops_.gather_rows(a); });
  }
  void biased_attention(const BiasedAttention& a) override {
    owner_.call([&] { return cat("biased_attention ", a.q.shape.text()); },
                [&] { ops_.biased_attention(a); });
  }
  void gated_gelu(const GatedGelu& a) override {
    owner_.call([] { return std::string("gated_gelu"); }, [&] { ops_.gated_gelu(a); });
  }

 private:
  TimedDevice& owner_;
  TextOps& ops_;
};

TimedDevice::TimedDevice(Device& device)
    : device_(device),
      ops_(std::make_unique<TimedOps>(*this)),
      frame_ops_(std::make_unique<TimedFrameOps>(*this)),
      text_ops_(std::make_unique<TimedTextOps>(*this)) {}

TimedDevice::~TimedDevice() = default;

Ops& TimedDevice::ops() {
  return *ops_;
}

FrameOps& TimedDevice::frame_ops() {
  return *frame_ops_;
}

TextOps& TimedDevice::text_ops() {
  return *text_ops_;
}

double TimedDevice::library_ms(std::int64_t steps) const {
  double seconds = 0;
  for (const auto& [name, time] : times_) {
    for (const char* kind : {"linear_", "attention_", "biased_attention", "conv "}) {
      if (starts_with(name, kind)) seconds += time.seconds;
    }
  }
  return seconds * 1e3 / static_cast<double>(steps);
}

void TimedDevice::copy(void* to, const void* from, std::int64_t bytes, Stream stream) {
  call([] { return std::string("copy"); }, [&] { device_.copy(to, from, bytes, stream); });
}

void TimedDevice::zero(void* memory, std::int64_t bytes, Stream stream) {
  call([] { return std::string("zero"); }, [&] { device_.zero(memory, bytes, stream); });
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
