#pragma once
#include <array>
#include <cstdint>
#include <map>
#include <memory>

#include "device/ops/kokkos/workspace.hpp"
#include "tensor/dtype.hpp"

namespace wan::host {

/// Extents in time, height and width.
using Extents = std::array<std::int64_t, 3>;

/// A plain convolution of one clip, channels last: x [T, H, W, I], kernel [O, I, kt, kh, kw], y [T', H', W',
/// O].
struct ConvProblem {
  std::int64_t inputs = 0;
  std::int64_t outputs = 0;
  Extents x{};
  Extents kernel{};
  Extents y{};
  Extents stride{1, 1, 1};
  Extents before{};  ///< zero padding
  Extents after{};
  DType storage = DType::f32;  ///< of x and the kernel: fp32 or bf16
  DType result = DType::f32;   ///< of y
  bool accumulate = false;     ///< y += instead of y =

  friend bool operator<(const ConvProblem& a, const ConvProblem& b);
};

/// A kernel and bias in oneDNN's hands. It is kept in the order that the last problem wanted.
class ConvKernel {
 public:
  /// weight [O, I, kt, kh, kw] fp32, rounded into `storage`; bias [O] or none.
  ConvKernel(std::int64_t outputs, std::int64_t inputs, const Extents& kernel, DType storage,
             const float* weight, const float* bias);
  ~ConvKernel();
  ConvKernel(ConvKernel&&) noexcept;
  ConvKernel& operator=(ConvKernel&&) noexcept;

  struct Held;
  [[nodiscard]] Held& held() { return *held_; }

 private:
  std::unique_ptr<Held> held_;
};

/// Runs convolutions by oneDNN; what it prepares for a problem is kept for the next time.
class OneDnnConv {
 public:
  OneDnnConv();
  ~OneDnnConv();

  void run(const ConvProblem& problem, ConvKernel& kernel, const void* x, void* y);

 private:
  struct Prepared;
  Prepared& prepared(const ConvProblem& problem);

  std::map<ConvProblem, std::unique_ptr<Prepared>> prepared_;
  Workspace scratch_;
};

/// Whether oneDNN has fast bf16 convolutions on this CPU.
[[nodiscard]] bool bf16_convolutions();

}  // namespace wan::host
