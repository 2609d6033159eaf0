#include "device/ops/kokkos/self_test.hpp"

#include <Kokkos_Core.hpp>
#include <cstdint>

#include "base/error.hpp"
#include "base/text.hpp"
#include "device/ops/kokkos/row_kernels.hpp"
#include "device/ops/kokkos/storage.hpp"

namespace wan {
namespace {

constexpr std::int64_t elements = 257;

/// `bytes` of payload behind a one-byte field, aligned as asked: what a kernel's captured arguments may look
/// like.
template <int bytes, int align>
struct Argument {
  std::uint8_t lead;
  alignas(align) std::uint8_t payload[bytes];
};

template <int bytes, int align>
Argument<bytes, align> make_argument() {
  Argument<bytes, align> out{};
  out.lead = 7;
  for (int i = 0; i < bytes; ++i) out.payload[i] = static_cast<std::uint8_t>(3 * i + align);
  return out;
}

template <int bytes, int align>
KOKKOS_INLINE_FUNCTION std::int64_t value_of(const Argument<bytes, align>& argument) {
  std::int64_t sum = argument.lead;
  for (int i = 0; i < bytes; ++i) sum += (i + 1) * argument.payload[i];
  return sum;
}

template <int bytes, int align>
void test_argument() {
  const Argument<bytes, align> argument = make_argument<bytes, align>();
  const std::int64_t expected = value_of(argument);
  const Kokkos::View<std::int64_t*> out("self_test", elements);
  const double factor = 0.5;
  Kokkos::parallel_for(
      "self_test_for", Kokkos::RangePolicy<Kokkos::IndexType<std::int64_t>>(0, elements),
      KOKKOS_LAMBDA(std::int64_t i) {
        out(i) = i * value_of(argument) + static_cast<std::int64_t>(2 * factor);
      });
  double sum = 0;
  Kokkos::parallel_reduce(
      "self_test_reduce", Kokkos::RangePolicy<Kokkos::IndexType<std::int64_t>>(0, elements),
      KOKKOS_LAMBDA(std::int64_t i, double& local) {
        local += factor * static_cast<double>(out(i) + value_of(argument));
      },
      sum);
  const auto triangle = elements * (elements - 1) / 2 + elements;
  const double allowed = factor * static_cast<double>(expected * triangle + elements);
  if (sum != allowed) {
    throw InternalError(cat("[kernel_self_test] arguments of ", bytes, " bytes aligned to ", align,
                            ": found ", sum, ", allowed ", allowed,
                            "; this Kokkos and compiler do not fit together"));
  }
}

/// out[row] = the sum of the columns' numbers by the lanes of a row together.
struct SumColumns {
  std::int64_t* out;

  KOKKOS_FORCEINLINE_FUNCTION void operator()(const kernels::Lanes& lanes, std::int64_t row) const {
    const std::int64_t sum = lanes.sum(row, [](std::int64_t c) { return c; });
    std::int64_t* const to = out + row;
    lanes.once([=] { *to += sum; });
  }
};

void test_rows() {
  const Kokkos::View<std::int64_t*> out("self_test_rows", elements);
  kernels::launch_rows("self_test_rows", elements, SumColumns{out.data()});
  const auto found = Kokkos::create_mirror_view_and_copy(Kokkos::HostSpace(), out);
  for (std::int64_t row = 0; row < elements; ++row) {
    if (found(row) == row * (row - 1) / 2) continue;
    throw InternalError(cat("[kernel_self_test] the lanes of row ", row, " found the sum ", found(row),
                            ", allowed ", row * (row - 1) / 2));
  }
}

/// out[row] = the sum of a row of numbers by the lanes of a row that take packs.
struct SumPacks {
  [[maybe_unused]] static constexpr int column_bytes = kernels::bytes_of_column<float>;

  std::int64_t cols;
  const float* numbers;
  float* out;

  template <class AnyLanes>
  KOKKOS_FORCEINLINE_FUNCTION auto rows(const AnyLanes& lanes, std::int64_t) const {
    return lanes.hold(cols, numbers);
  }
  template <class AnyLanes>
  KOKKOS_FORCEINLINE_FUNCTION kernels::Nothing scalars(const AnyLanes&, std::int64_t) const {
    return {};
  }
  template <class AnyLanes>
  KOKKOS_FORCEINLINE_FUNCTION kernels::Nothing parameters(const AnyLanes&, std::int64_t) const {
    return {};
  }
  template <class AnyLanes, class In>
  KOKKOS_FORCEINLINE_FUNCTION void operator()(const AnyLanes& lanes, std::int64_t row, const In& in,
                                              kernels::Nothing, kernels::Nothing) const {
    const float sum = lanes.sum(cols, [=](auto c) { return in(c); });
    float* const to = out + row;
    lanes.once([=] { *to += sum; });
  }
};

void test_packed_rows() {
  constexpr std::int64_t cols = 1536;
  const Kokkos::View<float*> numbers("self_test_numbers", cols);
  Kokkos::parallel_for(
      "self_test_numbers", Kokkos::RangePolicy<Kokkos::IndexType<std::int64_t>>(0, cols),
      KOKKOS_LAMBDA(std::int64_t c) { numbers(c) = static_cast<float>(c); });
  const Kokkos::View<float*> out("self_test_packed_rows", elements);
  kernels::launch_packed_rows("self_test_packed_rows", elements, cols, true, nullptr,
                              SumPacks{cols, numbers.data(), out.data()});
  const auto found = Kokkos::create_mirror_view_and_copy(Kokkos::HostSpace(), out);
  constexpr auto allowed = static_cast<float>(cols * (cols - 1)) / 2;
  for (std::int64_t row = 0; row < elements; ++row) {
    if (found(row) == allowed) continue;
    throw InternalError(cat("[kernel_self_test] the lanes of packed row ", row, " found the sum ", found(row),
                            ", allowed ", allowed));
  }
}

}  // namespace

void kernel_self_test() {
  test_rows();
  test_packed_rows();
  test_argument<1, 1>();
  test_argument<12, 4>();
  test_argument<40, 8>();
  test_argument<96, 16>();
  test_argument<200, 32>();
  test_argument<520, 64>();
}

}  // namespace wan
