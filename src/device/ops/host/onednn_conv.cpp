#include "device/ops/host/onednn_conv.hpp"

#include <cstring>
#include <dnnl.hpp>
#include <tuple>
#include <unordered_map>

#include "base/error.hpp"
#include "base/text.hpp"

namespace wan::host {
namespace {

using dnnl::memory;

const dnnl::engine& cpu() {
  static const dnnl::engine engine(dnnl::engine::kind::cpu, 0);
  return engine;
}

memory::data_type type_of(DType dtype) {
  return dtype == DType::bf16 ? memory::data_type::bf16 : memory::data_type::f32;
}

memory::dims dims(std::int64_t batch, std::int64_t channels, const Extents& extents) {
  return {batch, channels, extents[0], extents[1], extents[2]};
}

memory::dims dims(const Extents& extents) {
  return {extents[0], extents[1], extents[2]};
}

memory::desc pixels(std::int64_t channels, const Extents& extents, DType dtype) {
  return {dims(1, channels, extents), type_of(dtype), memory::format_tag::ndhwc};
}

/// Runs body, turning oneDNN's complaints into ours.
template <class Body>
auto guarded(const char* what, const Body& body) -> decltype(body()) {
  try {
    return body();
  } catch (const dnnl::error& error) {
    throw InternalError(cat("[", what, "] oneDNN: ", error.what()));
  }
}

/// `from` copied into memory ordered and typed as `to` says.
memory reordered(const memory& from, const memory::desc& to) {
  memory out(to, cpu());
  dnnl::stream stream(cpu());
  dnnl::reorder(from, out).execute(stream, const_cast<memory&>(from), out);
  stream.wait();
  return out;
}

/// oneDNN 2.6's bf16 convolutions for tile registers (AMX) are wrong for some sizes, such as 1x1 kernels of
/// 12 or 15 input channels; the next choice computes with vectors.
void skip_tiles(dnnl::convolution_forward::primitive_desc& description) {
  while (std::strstr(description.impl_info_str(), "amx") != nullptr && description.next_impl()) {
  }
}

auto fields(const ConvProblem& p) {
  return std::tie(p.inputs, p.outputs, p.x, p.kernel, p.y, p.stride, p.before, p.after, p.storage, p.result,
                  p.accumulate);
}

}  // namespace

bool operator<(const ConvProblem& a, const ConvProblem& b) {
  return fields(a) < fields(b);
}

struct ConvKernel::Held {
  memory weight;
  memory bias;
};

ConvKernel::ConvKernel(std::int64_t outputs, std::int64_t inputs, const Extents& kernel, DType storage,
                       const float* weight, const float* bias)
    : held_(std::make_unique<Held>()) {
  guarded("conv prepare", [&] {
    const memory::dims shape = dims(outputs, inputs, kernel);
    const memory given({shape, memory::data_type::f32, memory::format_tag::oidhw}, cpu(),
                       const_cast<float*>(weight));
    held_->weight = reordered(given, {shape, type_of(storage), memory::format_tag::oidhw});
    held_->bias = memory({{outputs}, memory::data_type::f32, memory::format_tag::x}, cpu());
    for (std::int64_t o = 0; o < outputs; ++o) {
      static_cast<float*>(held_->bias.get_data_handle())[o] = bias == nullptr ? 0.0F : bias[o];
    }
  });
}

ConvKernel::~ConvKernel() = default;
ConvKernel::ConvKernel(ConvKernel&&) noexcept = default;
ConvKernel& ConvKernel::operator=(ConvKernel&&) noexcept = default;

struct OneDnnConv::Prepared {
  dnnl::convolution_forward::primitive_desc description;
  dnnl::convolution_forward primitive;
  dnnl::stream stream;
};

OneDnnConv::OneDnnConv() = default;
OneDnnConv::~OneDnnConv() = default;

OneDnnConv::Prepared& OneDnnConv::prepared(const ConvProblem& p) {
  std::unique_ptr<Prepared>& slot = prepared_[p];
  if (!slot) {
    const dnnl::convolution_forward::desc convolution(
        dnnl::prop_kind::forward_inference, dnnl::algorithm::convolution_direct,
        pixels(p.inputs, p.x, p.storage),
        {dims(p.outputs, p.inputs, p.kernel), type_of(p.storage), memory::format_tag::any},
        {{p.outputs}, memory::data_type::f32, memory::format_tag::x}, pixels(p.outputs, p.y, p.result),
        dims(p.stride), dims(p.before), dims(p.after));
    dnnl::primitive_attr attributes;
    attributes.set_scratchpad_mode(dnnl::scratchpad_mode::user);
    if (p.accumulate) {
      dnnl::post_ops add;
      add.append_sum();
      attributes.set_post_ops(add);
    }
    dnnl::convolution_forward::primitive_desc description(convolution, attributes, cpu());
    skip_tiles(description);
    slot = std::make_unique<Prepared>(
        Prepared{description, dnnl::convolution_forward(description), dnnl::stream(cpu())});
  }
  return *slot;
}

void OneDnnConv::run(const ConvProblem& problem, ConvKernel& kernel, const void* x, void* y) {
  guarded("conv", [&] {
    const Workspace::Scope scope(scratch_);
    Prepared& ready = prepared(problem);
    ConvKernel::Held& held = kernel.held();
    if (held.weight.get_desc() != ready.description.weights_desc()) {
      held.weight = reordered(held.weight, ready.description.weights_desc());
    }
    const memory::desc scratch = ready.description.scratchpad_desc();
    ready.primitive.execute(
        ready.stream,
        {{DNNL_ARG_SRC, memory(ready.description.src_desc(), cpu(), const_cast<void*>(x))},
         {DNNL_ARG_WEIGHTS, held.weight},
         {DNNL_ARG_BIAS, held.bias},
         {DNNL_ARG_DST, memory(ready.description.dst_desc(), cpu(), y)},
         {DNNL_ARG_SCRATCHPAD,
          memory(scratch, cpu(), scratch_.take(static_cast<std::int64_t>(scratch.get_size())))}});
    ready.stream.wait();
  });
}

bool bf16_convolutions() {
  switch (dnnl::get_effective_cpu_isa()) {
    case dnnl::cpu_isa::avx512_core:
    case dnnl::cpu_isa::avx512_core_vnni:
    case dnnl::cpu_isa::avx512_core_bf16:
    case dnnl::cpu_isa::avx512_core_amx:
      return true;
    default:
      return false;
  }
}

}  // namespace wan::host
